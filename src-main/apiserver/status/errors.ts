// The catalogue of error answers: every failure of the API is made here, with upstream's reasons, codes and wording.
// Callers branch on `reason` or on the code, never on the text.

import { type FieldError, formatFieldError, type Status, type StatusCause } from '../../api';
import { ApiError } from '../../client';

/** What an error speaks about: enough of a kind to name it. */
export interface Named {
  group: string;
  kind: string;
  plural: string;
}

interface StatusOptions {
  code: number;
  reason: string;
  message: string;
  details?: Status['details'];
}

function statusOf(options: StatusOptions): Status {
  const { code, reason, message, details } = options;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details ? { details } : {}),
    code,
  };
}

const failure = (options: StatusOptions): ApiError => new ApiError(statusOf(options));

/** `deployments.apps`, or `pods` in the core group. */
export function qualifiedResource(kind: Named): string {
  return kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
}

function resourceDetails(kind: Named, name: string): NonNullable<Status['details']> {
  return { ...(name ? { name } : {}), ...(kind.group ? { group: kind.group } : {}), kind: kind.plural };
}

export function notFound(kind: Named, name: string): ApiError {
  const message = `${qualifiedResource(kind)} "${name}" not found`;
  return failure({ code: 404, reason: 'NotFound', message, details: resourceDetails(kind, name) });
}

/** An address that no handler serves. */
export function unknownPath(): ApiError {
  const message = 'the server could not find the requested resource';
  return failure({ code: 404, reason: 'NotFound', message, details: {} });
}

export function alreadyExists(kind: Named, name: string): ApiError {
  const message = `${qualifiedResource(kind)} "${name}" already exists`;
  return failure({ code: 409, reason: 'AlreadyExists', message, details: resourceDetails(kind, name) });
}

export function conflict(kind: Named, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(kind)} "${name}": ${why}`;
  return failure({ code: 409, reason: 'Conflict', message, details: resourceDetails(kind, name) });
}

/** The answer to a write based on an old version. */
export function modifiedConflict(kind: Named, name: string): ApiError {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  return conflict(kind, name, why);
}

export function forbidden(kind: Named, name: string, why: string, causes?: StatusCause[]): ApiError {
  const subject = name ? `${qualifiedResource(kind)} "${name}"` : qualifiedResource(kind);
  const details = { ...resourceDetails(kind, name), ...(causes ? { causes } : {}) };
  return failure({ code: 403, reason: 'Forbidden', message: `${subject} is forbidden: ${why}`, details });
}

export function forbiddenPath(why: string): ApiError {
  return failure({ code: 403, reason: 'Forbidden', message: `forbidden: ${why}`, details: {} });
}

export function unauthorized(): ApiError {
  return failure({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
}

export function badRequest(message: string): ApiError {
  return failure({ code: 400, reason: 'BadRequest', message });
}

export function methodNotAllowed(kind: Named | undefined, verb: string): ApiError {
  const message = kind
    ? `${verb} is not supported on resources of kind "${qualifiedResource(kind)}"`
    : 'the server does not allow this method on the requested resource';
  const details = kind ? resourceDetails(kind, '') : {};
  return failure({ code: 405, reason: 'MethodNotAllowed', message, details });
}

export function notAcceptable(accepted: readonly string[]): ApiError {
  const message = `only the following media types are accepted: ${accepted.join(', ')}`;
  return failure({ code: 406, reason: 'NotAcceptable', message });
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return failure({ code: 415, reason: 'UnsupportedMediaType', message });
}

export function tooLargeBody(limit: number): ApiError {
  const message = `Request entity too large: limit is ${limit}`;
  return failure({ code: 413, reason: 'RequestEntityTooLarge', message });
}

/** A revision that compaction has taken away: list again. */
export function expired(message: string): ApiError {
  return failure({ code: 410, reason: 'Expired', message });
}

export function gone(message: string): ApiError {
  return failure({ code: 410, reason: 'Gone', message });
}

export function tooLargeResourceVersion(wanted: number, current: number): ApiError {
  const message = `Timeout: Too large resource version: ${wanted}, current: ${current}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return failure({ code: 504, reason: 'Timeout', message, details: { causes, retryAfterSeconds: 1 } });
}

export function tooManyRequests(message: string, retryAfterSeconds: number, causes?: StatusCause[]): ApiError {
  const details = { retryAfterSeconds, ...(causes ? { causes } : {}) };
  return failure({ code: 429, reason: 'TooManyRequests', message, details });
}

export function timeout(message: string): ApiError {
  return failure({ code: 504, reason: 'Timeout', message: `Timeout: ${message}`, details: {} });
}

export function internalError(message: string): ApiError {
  const details = { causes: [{ message }] };
  return failure({ code: 500, reason: 'InternalError', message: `Internal error occurred: ${message}`, details });
}

export function badGateway(message: string): ApiError {
  return failure({ code: 502, reason: 'InternalError', message });
}

export function serviceUnavailable(message: string): ApiError {
  return failure({ code: 503, reason: 'ServiceUnavailable', message });
}

/** 422 with one cause a field error; the message lists them as upstream's aggregate does. */
export function invalid(kind: { group: string; kind: string }, name: string, errors: readonly FieldError[]): ApiError {
  const qualified = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
  const texts = [...new Set(errors.map((error) => formatFieldError(error)))];
  const joined = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`;
  const causes = errors.map((error): StatusCause => {
    const text = formatFieldError(error);
    const prefix = `${error.field}: `;
    const message = text.startsWith(prefix) ? text.slice(prefix.length) : text;
    return { reason: error.type, message, field: error.field };
  });
  return failure({
    code: 422,
    reason: 'Invalid',
    message: `${qualified} "${name}" is invalid: ${joined}`,
    details: { name, ...(kind.group ? { group: kind.group } : {}), kind: kind.kind, causes },
  });
}

/** What is sent for any thrown value; unknown ones say nothing of the inside. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return internalError(error instanceof Error ? error.message : String(error));
}
