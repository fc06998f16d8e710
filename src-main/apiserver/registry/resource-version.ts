// resourceVersion parameters: what they may be, and what each combination asks for.

import { fieldError } from '../../api';
import { badRequest, invalid } from '../status/errors';

const listOptions = { group: 'meta.k8s.io', kind: 'ListOptions' };

/** Undefined when absent; throws 400 when it is no version. */
export function parseResourceVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`invalid resource version "${text}": must be a whole number`);
  return Number(text);
}

export interface VersionedRead {
  resourceVersion?: string | undefined;
  resourceVersionMatch?: string | undefined;
  continue?: string | undefined;
}

/** Refuses the combinations upstream refuses. */
export function validateListVersion(options: VersionedRead): void {
  const { resourceVersion, resourceVersionMatch: match } = options;
  if (!match) return;
  const field = 'resourceVersionMatch';
  const errors = [];
  if (!resourceVersion) {
    errors.push(fieldError.forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
  }
  if (options.continue) {
    errors.push(fieldError.forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    errors.push(fieldError.notSupported(field, match, ['Exact', 'NotOlderThan']));
  }
  if (match === 'Exact' && resourceVersion === '0') {
    errors.push(fieldError.forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (errors.length > 0) throw invalid(listOptions, '', errors);
}

export interface VersionedWatch extends VersionedRead {
  sendInitialEvents?: boolean | undefined;
  allowBookmarks?: boolean | undefined;
}

export function validateWatchVersion(options: VersionedWatch): void {
  const { resourceVersionMatch: match, sendInitialEvents } = options;
  const errors = [];
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    const detail = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
    errors.push(fieldError.forbidden('resourceVersionMatch', detail));
  }
  if (sendInitialEvents === undefined && match) {
    const detail = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
    errors.push(fieldError.forbidden('resourceVersionMatch', detail));
  }
  if (errors.length > 0) throw invalid(listOptions, '', errors);
}
