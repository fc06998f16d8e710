// Users, roles and whether they count, with etcd's rules and refusals. Changes are made one after the other, each on a
// copy that takes effect only when it is on disk.

import type { Clock } from '../../kit';
import { etcdError } from '../etcd';
import type { Key } from '../store';
import { type AuthData, loadAuthFile, saveAuthFile, type User } from './auth-file';
import { hashPassword, passwordMatches } from './password';
import type { Permission } from './permissions';
import { Tokens } from './tokens';

const root = 'root';

export class AuthStore {
  readonly tokens: Tokens;
  private changes: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private data: AuthData,
    clock: Clock,
  ) {
    this.tokens = new Tokens(clock);
  }

  static async open(options: { path: string; clock: Clock }): Promise<AuthStore> {
    return new AuthStore(options.path, await loadAuthFile(options.path), options.clock);
  }

  get enabled(): boolean {
    return this.data.enabled;
  }

  get revision(): number {
    return this.data.revision;
  }

  /** Error AuthFailed, whatever was wrong; AuthNotEnabled. */
  async authenticate(name: string, password: string): Promise<string> {
    if (!this.enabled) throw etcdError('AuthNotEnabled');
    const user = this.data.users.get(name);
    if (!(await passwordMatches(password, user?.password))) throw etcdError('AuthFailed');
    return this.tokens.give(name);
  }

  async enable(): Promise<void> {
    if (this.enabled) return;
    await this.change((data) => {
      const user = data.users.get(root);
      if (!user) throw etcdError('RootUserNotExist');
      if (!user.roles.includes(root)) throw etcdError('RootRoleNotExist');
      data.enabled = true;
    });
  }

  async disable(): Promise<void> {
    if (!this.enabled) return;
    await this.change((data) => {
      data.enabled = false;
    });
    this.tokens.clear();
  }

  async addUser(name: string, password: string | undefined): Promise<void> {
    if (name === '') throw etcdError('UserEmpty');
    const hash = password === undefined ? {} : { password: await hashPassword(password) };
    await this.change(({ users }) => {
      if (users.has(name)) throw etcdError('UserAlreadyExist');
      users.set(name, { roles: [], ...hash });
    });
  }

  async deleteUser(name: string): Promise<void> {
    if (this.enabled && name === root) throw etcdError('InvalidAuthMgmt');
    await this.change(({ users }) => {
      if (!users.delete(name)) throw etcdError('UserNotFound');
    });
    this.tokens.forgetUser(name);
  }

  async changePassword(name: string, password: string): Promise<void> {
    const hash = await hashPassword(password);
    await this.change((data) => {
      data.users.set(name, { ...userIn(data, name), password: hash });
    });
    this.tokens.forgetUser(name);
  }

  async grantRole(name: string, role: string): Promise<void> {
    await this.change((data) => {
      const user = userIn(data, name);
      if (role !== root && !data.roles.has(role)) throw etcdError('RoleNotFound');
      const roles = [...new Set([...user.roles, role])].sort();
      data.users.set(name, { ...user, roles });
    });
  }

  async revokeRole(name: string, role: string): Promise<void> {
    if (this.enabled && name === root && role === root) throw etcdError('InvalidAuthMgmt');
    await this.change((data) => {
      const user = userIn(data, name);
      if (!user.roles.includes(role)) throw etcdError('RoleNotGranted');
      data.users.set(name, { ...user, roles: user.roles.filter((item) => item !== role) });
    });
  }

  async addRole(name: string): Promise<void> {
    if (name === '') throw etcdError('RoleEmpty');
    await this.change(({ roles }) => {
      if (roles.has(name)) throw etcdError('RoleAlreadyExist');
      roles.set(name, []);
    });
  }

  async deleteRole(name: string): Promise<void> {
    if (this.enabled && name === root) throw etcdError('InvalidAuthMgmt');
    await this.change(({ roles, users }) => {
      if (!roles.delete(name)) throw etcdError('RoleNotFound');
      for (const [key, user] of users) {
        users.set(key, { ...user, roles: user.roles.filter((role) => role !== name) });
      }
    });
  }

  async grantPermission(role: string, permission: Permission): Promise<void> {
    await this.change((data) => {
      const others = roleIn(data, role).filter((item) => !sameRange(item, permission));
      data.roles.set(
        role,
        [...others, permission].sort((a, b) => (a.key < b.key ? -1 : 1)),
      );
    });
  }

  async revokePermission(role: string, range: { key: Key; rangeEnd: Key }): Promise<void> {
    await this.change((data) => {
      const permissions = roleIn(data, role);
      const kept = permissions.filter((item) => !sameRange(item, range));
      if (kept.length === permissions.length) throw etcdError('PermissionNotGranted');
      data.roles.set(role, kept);
    });
  }

  /** Error UserNotFound. */
  rolesOf(name: string): readonly string[] {
    return userIn(this.data, name).roles;
  }

  /** Error RoleNotFound. */
  permissionsOf(role: string): readonly Permission[] {
    return roleIn(this.data, role);
  }

  users(): string[] {
    return [...this.data.users.keys()].sort();
  }

  roles(): string[] {
    return [...this.data.roles.keys()].sort();
  }

  hasUser(name: string): boolean {
    return this.data.users.has(name);
  }

  isRoot(name: string): boolean {
    return this.data.users.get(name)?.roles.includes(root) ?? false;
  }

  /** All that the user's roles grant. */
  granted(name: string): Permission[] {
    const roles = this.data.users.get(name)?.roles ?? [];
    return roles.flatMap((role) => this.data.roles.get(role) ?? []);
  }

  private change(work: (data: AuthData) => void): Promise<void> {
    const done = this.changes.then(async () => {
      const { enabled, revision, users, roles } = this.data;
      const next = { enabled, revision: revision + 1, users: new Map(users), roles: new Map(roles) };
      work(next);
      await saveAuthFile(this.path, next);
      this.data = next;
    });
    // The next change follows whether or not this one was refused; its refusal is the caller's to see.
    this.changes = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }
}

function userIn(data: AuthData, name: string): User {
  const user = data.users.get(name);
  if (!user) throw etcdError('UserNotFound');
  return user;
}

function roleIn(data: AuthData, name: string): Permission[] {
  const role = data.roles.get(name);
  if (!role) throw etcdError('RoleNotFound');
  return role;
}

function sameRange(a: { key: Key; rangeEnd: Key }, b: { key: Key; rangeEnd: Key }): boolean {
  return a.key === b.key && a.rangeEnd === b.rangeEnd;
}
