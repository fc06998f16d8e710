import { beforeEach } from 'vitest';
import { clientContract } from './client-contract';
import { FakeApi } from './fake-api';

let client = new FakeApi();
beforeEach(() => {
  client = new FakeApi();
});

clientContract('fake', () => ({ client, namespace: 'default', prefix: '' }));
