// The contract of every Client, on the in-process client and over HTTPS to the same server.

import { afterAll, beforeAll } from 'vitest';
import { type Client, createHttpsClient } from '../client';
import { startTestApiServer, type TestApiServer } from '../testkit/api-server';
import { clientContract } from '../testkit/client-contract';

let running: TestApiServer;
let inProcess: Client;
let https: ReturnType<typeof createHttpsClient>;

beforeAll(async () => {
  running = await startTestApiServer();
  inProcess = running.server.client({ name: 'test', groups: ['system:masters'] });
  https = createHttpsClient({ server: running.url, ca: running.authority.ca, ...running.admin, userAgent: 'test' });
});

afterAll(async () => {
  await running?.stop();
});

clientContract('in-process', () => ({ client: inProcess, namespace: 'default', prefix: 'in-' }));
clientContract('HTTPS', () => ({ client: https, namespace: 'default', prefix: 'over-' }));
