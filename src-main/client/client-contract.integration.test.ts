// The contract of the fake, held to the two real clients of a real API server.

import { afterAll, beforeAll } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testkit/api-server';
import { clientContract } from '../testkit/client-contract';
import type { Client } from './client';
import { createHttpsClient, type HttpsClient } from './https-client';

let running: TestApiServer;
let overHttps: HttpsClient;
let inProcess: Client;

beforeAll(async () => {
  running = await startTestApiServer();
  const { ca } = running.authority;
  const { cert, key } = running.admin;
  overHttps = createHttpsClient({ server: running.url, ca, cert, key, userAgent: 'contract' });
  inProcess = running.server.client({ name: 'contract', groups: ['system:masters'] });
});

afterAll(async () => {
  overHttps?.close();
  await running?.stop();
});

clientContract('over HTTPS', () => ({ client: overHttps, namespace: 'default', prefix: 'https-' }));
clientContract('in process', () => ({ client: inProcess, namespace: 'default', prefix: 'inner-' }));
