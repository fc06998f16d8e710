import { describe, expect, it } from 'vitest';
import type { KubeObject, Status, WatchEvent } from '../../api';
import { ApiError, type Client, type WatchOptions } from '../../client';
import type { WatchMessage } from '../../contract';
import { PilothouseError } from '../../kit';
import { wholeLines } from './log-stream';
import { watchStream } from './watch-stream';

const resource = { group: '', version: 'v1', plural: 'pods', namespaced: true };

function object(name: string, resourceVersion: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, resourceVersion } };
}

function status(code: number, reason: string): ApiError {
  return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason } as Status);
}

type Turn = WatchEvent<KubeObject>[] | Error;

/** A server that lists at growing versions and plays one turn per watch; when they are over it goes quiet. */
function scripted(turns: Turn[], lists: (string | Error)[] = ['10']) {
  const asked: (string | undefined)[] = [];
  const client = {
    async list() {
      const next = lists.length > 1 ? lists.shift()! : lists[0]!;
      if (next instanceof Error) throw next;
      return { apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: next }, items: [] };
    },
    async *watch(_: unknown, options: WatchOptions) {
      asked.push(options.resourceVersion);
      const turn = turns.shift();
      if (turn instanceof Error) throw turn;
      if (turn) yield* turn;
      else await new Promise<void>((resolve) => options.signal.addEventListener('abort', () => resolve()));
    },
  } as unknown as Client;
  return { client, asked };
}

async function collect(client: Client, options: { count: number; resourceVersion?: string }): Promise<WatchMessage[]> {
  const abort = new AbortController();
  const messages: WatchMessage[] = [];
  const request = { resource, resourceVersion: options.resourceVersion };
  const retry = { baseMs: 1, maxMs: 2 };
  for await (const message of watchStream({ client, request, signal: abort.signal, batchMs: 1, retry })) {
    messages.push(message);
    if (messages.length === options.count) abort.abort();
  }
  return messages;
}

const unreachable = new PilothouseError({ code: 'API_UNREACHABLE', message: 'refused', retryable: true });

describe('watchStream', () => {
  it('begins with the whole list and batches what follows', async () => {
    const { client, asked } = scripted([
      [
        { type: 'ADDED', object: object('a', '11') },
        { type: 'MODIFIED', object: object('a', '12') },
      ],
    ]);
    const [snapshot, events] = await collect(client, { count: 2 });
    expect(snapshot).toMatchObject({ type: 'snapshot', list: { metadata: { resourceVersion: '10' } } });
    expect(events).toMatchObject({ type: 'events', resourceVersion: '12' });
    expect(asked[0]).toBe('10');
  });

  it('resumes without a list from a given version, and from bookmarks', async () => {
    const { client, asked } = scripted([
      [{ type: 'BOOKMARK', object: object('', '40') }],
      [{ type: 'DELETED', object: object('a', '41') }],
    ]);
    const messages = await collect(client, { count: 1, resourceVersion: '30' });
    expect(messages).toMatchObject([{ type: 'events', resourceVersion: '41' }]);
    expect(asked).toEqual(['30', '40']);
  });

  it('says stale once in an outage, then goes on from where it was', async () => {
    const { client, asked } = scripted([unreachable, unreachable, [{ type: 'ADDED', object: object('a', '11') }]]);
    const messages = await collect(client, { count: 4 });
    expect(messages.map((message) => message.type).slice(0, 2)).toEqual(['snapshot', 'stale']);
    expect(messages.some((message) => message.type === 'events')).toBe(true);
    expect(new Set(asked.slice(0, 3))).toEqual(new Set(['10']));
  });

  it('lists anew when its version is too old', async () => {
    const { client } = scripted([status(410, 'Expired')], ['10', '90']);
    const messages = await collect(client, { count: 2 });
    expect(messages.map((message) => message.type)).toEqual(['snapshot', 'snapshot']);
  });

  it('ends with an error when the server refuses', async () => {
    const { client } = scripted([], [status(403, 'Forbidden')]);
    await expect(collect(client, { count: 1 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('wholeLines', () => {
  async function lines(chunks: (string | Buffer)[], maxLine?: number): Promise<string[]> {
    async function* source() {
      for (const chunk of chunks) yield Buffer.from(chunk);
    }
    const all: string[] = [];
    for await (const part of wholeLines(source(), { chunkMs: 1, maxLine })) all.push(...part.lines);
    return all;
  }

  it.each([
    ['lines cut anywhere', ['on', 'e\ntw', 'o\n'], ['one', 'two']],
    ['a last line without its end', ['a\nb'], ['a', 'b']],
    ['empty lines', ['\n\na\n'], ['', '', 'a']],
    ['characters cut in the middle', [Buffer.from('é').subarray(0, 1), Buffer.from('é\n').subarray(1)], ['é']],
    ['nothing', [], []],
  ])('keeps %s', async (_, chunks, expected) => {
    expect(await lines(chunks)).toEqual(expected);
  });

  it('cuts what is too long to be a line', async () => {
    expect(await lines(['x'.repeat(25)], 10)).toEqual(['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)]);
  });
});
