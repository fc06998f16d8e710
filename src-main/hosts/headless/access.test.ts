import { describe, expect, it } from 'vitest';
import { checkRpcAccess, isOwnHost, isSameToken } from './access';

const rules = { port: 7777, token: 'secret' };
const url = '/rpc?token=secret';
const host = '127.0.0.1:7777';

describe('checkRpcAccess', () => {
  it.each([
    ['the command line: no Origin', url, { host }],
    ['the browser shell', url, { host, origin: 'http://127.0.0.1:7777' }],
    ['the browser shell by name', url, { host: 'localhost:7777', origin: 'http://localhost:7777' }],
  ])('lets in %s', (_, path, headers) => {
    expect(checkRpcAccess({ url: path, headers }, rules)).toEqual({ allowed: true });
  });

  it.each([
    ['no token', '/rpc', { host }, 401],
    ['a wrong token', '/rpc?token=secre', { host }, 401],
    ['another site', url, { host, origin: 'https://evil.example' }, 403],
    ['a page of another local port', url, { host, origin: 'http://127.0.0.1:8080' }, 403],
    ['a sandboxed page', url, { host, origin: 'null' }, 403],
    ['a rebound name', url, { host: 'evil.example:7777' }, 403],
    ['no Host', url, {}, 403],
    ['another path', '/other?token=secret', { host }, 404],
    ['what is no URL', 'http://[', { host }, 400],
  ])('refuses %s', (_, path, headers, status) => {
    expect(checkRpcAccess({ url: path, headers }, rules)).toMatchObject({ allowed: false, status });
  });
});

it('compares tokens of any length', () => {
  expect(isSameToken('', 'a')).toBe(false);
  expect(isSameToken('a', 'a')).toBe(true);
  expect(isSameToken('a'.repeat(1000), 'a')).toBe(false);
});

it('knows its own host names only with its own port', () => {
  expect(isOwnHost('localhost:7777', 7777)).toBe(true);
  expect(isOwnHost('localhost', 7777)).toBe(false);
  expect(isOwnHost('127.0.0.1:7778', 7777)).toBe(false);
});
