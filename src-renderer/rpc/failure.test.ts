import { describe, expect, it } from 'vitest';
import { failureOf } from './failure';

describe('failureOf', () => {
  it('takes code, hint and details of a PilothouseError', () => {
    const error = Object.assign(new Error('disk is full'), {
      data: {
        code: 'INTERNAL_SERVER_ERROR',
        pilothouse: { code: 'DISK_FULL', hint: 'free some', details: { gib: 1 } },
      },
    });
    expect(failureOf(error)).toEqual({
      code: 'DISK_FULL',
      message: 'disk is full',
      hint: 'free some',
      details: { gib: 1 },
    });
  });

  it('reads schema issues as field and message', () => {
    const error = Object.assign(new Error(JSON.stringify([{ path: ['nodes'], message: 'at most 20 nodes' }])), {
      data: { code: 'BAD_REQUEST' },
    });
    expect(failureOf(error).message).toBe('nodes: at most 20 nodes');
  });

  it('survives anything thrown', () => {
    expect(failureOf('plain')).toEqual({ code: 'UNKNOWN', message: 'plain', hint: undefined, details: {} });
    expect(failureOf(new Error('[not json')).message).toBe('[not json');
  });
});
