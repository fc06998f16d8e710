// Entry of the background host that the command line starts.

import { createLogger } from '../../services';
import { findApplication } from '../application';
import { describeStartFailure, serveUntilStopped } from './serve';

const application = findApplication(import.meta.dirname, { fromSource: import.meta.url.endsWith('.ts') });
const logger = createLogger();
try {
  await serveUntilStopped({
    application,
    logger,
    onReady: (host) => console.log(`Pilothouse is open at ${host.windowUrl}`),
  });
} catch (error) {
  console.error(describeStartFailure(error));
  process.exit(1);
}
