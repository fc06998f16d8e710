// Users and roles on disk: one file beside the store, outside the keys anybody can read, replaced as a whole. Keys are
// bytes, so base64. A file that is damaged is an error: an etcd that forgot its users would be open to all.

import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PilothouseError } from '../../kit';
import type { PasswordHash } from './password';
import type { Permission, PermissionType } from './permissions';

export interface User {
  roles: string[];
  /** Absent: the user signs in by certificate only. */
  password?: PasswordHash;
}

export interface AuthData {
  enabled: boolean;
  /** Counts the changes, as etcd's auth revision. */
  revision: number;
  users: Map<string, User>;
  roles: Map<string, Permission[]>;
}

const fileVersion = 1;

interface FileText {
  version: number;
  enabled: boolean;
  revision: number;
  users: Record<string, User>;
  roles: Record<string, { type: PermissionType; key: string; rangeEnd: string }[]>;
}

export function emptyAuthData(): AuthData {
  return { enabled: false, revision: 1, users: new Map(), roles: new Map() };
}

/** Empty when there is no file. Error AUTH_FILE_INVALID. */
export async function loadAuthFile(path: string): Promise<AuthData> {
  try {
    const text = JSON.parse(await readFile(path, 'utf8')) as FileText;
    if (text.version !== fileVersion) throw new Error(`version ${text.version} is not known`);
    const roles = Object.entries(text.roles).map(([name, permissions]): [string, Permission[]] => [
      name,
      permissions.map(({ type, key, rangeEnd }) => ({ type, key: fromText(key), rangeEnd: fromText(rangeEnd) })),
    ]);
    const { enabled, revision } = text;
    return { enabled, revision, users: new Map(Object.entries(text.users)), roles: new Map(roles) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return emptyAuthData();
    throw new PilothouseError({
      code: 'AUTH_FILE_INVALID',
      message: `${path}: ${messageOf(error)}`,
      hint: 'Restore the file from a backup. Without it everybody may do everything.',
      cause: error,
    });
  }
}

/** Durable when it resolves. */
export async function saveAuthFile(path: string, data: AuthData): Promise<void> {
  const roles = [...data.roles].map(([name, permissions]) => [
    name,
    permissions.map(({ type, key, rangeEnd }) => ({ type, key: toText(key), rangeEnd: toText(rangeEnd) })),
  ]);
  const { enabled, revision } = data;
  const head = { version: fileVersion, enabled, revision, users: Object.fromEntries(data.users) };
  const text = JSON.stringify({ ...head, roles: Object.fromEntries(roles) }, null, 2);
  const partial = `${path}.new`;
  const file = await open(partial, 'w', 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function toText(key: string): string {
  return Buffer.from(key, 'latin1').toString('base64');
}

function fromText(text: string): string {
  return Buffer.from(text, 'base64').toString('latin1');
}
