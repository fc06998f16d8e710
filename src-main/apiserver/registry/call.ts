// What a request carries besides its object: who asks and how the write is to be made.

import type { User } from '../authn/user';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Call {
  user: User;
  /** Run everything but the write. */
  dryRun?: boolean;
  fieldValidation?: FieldValidation;
  /** Told of what the client should know though the request succeeds. */
  warn?(message: string): void;
}
