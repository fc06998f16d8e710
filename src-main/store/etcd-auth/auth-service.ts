// etcd's Auth service. Once authentication is on, only root may use it, apart from asking for a token, for oneself and
// for one's own roles.

import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { etcdError, type MakeHeader, type MountedService, services, toGrpcError } from '../etcd';
import type { AuthStore } from './auth-store';
import { userOf } from './authorizer';
import type { PermissionType } from './permissions';

interface WirePermission {
  permType: number;
  key: Buffer;
  range_end: Buffer;
}
interface AddUser {
  name: string;
  password: string;
  options: { no_password: boolean } | null;
}

const permissionTypes: readonly PermissionType[] = ['read', 'write', 'readwrite'];
const latin1 = (bytes: Buffer) => bytes.toString('latin1');

export function authService({ auth, header }: { auth: AuthStore; header: MakeHeader }): MountedService {
  /** `isOwn`: whether the caller may ask though not root. */
  function method<Request>(
    work: (request: Request) => Promise<object | void> | object,
    isOwn: (user: string, request: Request) => boolean = () => false,
  ): handleUnaryCall<Request, object> {
    const answer = async (call: ServerUnaryCall<Request, object>) => {
      if (auth.enabled) {
        const user = userOf(auth, {
          metadata: call.metadata,
          peerCertificate: call.getAuthContext().sslPeerCertificate,
        });
        if (!auth.isRoot(user) && !isOwn(user, call.request)) throw etcdError('PermissionDenied');
      }
      return { header: header(), ...(await work(call.request)) };
    };
    return (call, callback) => {
      answer(call).then(
        (response) => callback(null, response),
        (error: unknown) => callback(toGrpcError(error)),
      );
    };
  }
  const open: handleUnaryCall<{ name: string; password: string }, object> = ({ request }, callback) => {
    auth.authenticate(request.name, request.password).then(
      (token) => callback(null, { header: header(), token }),
      (error: unknown) => callback(toGrpcError(error)),
    );
  };
  const hasRole = (user: string, role: string) => auth.hasUser(user) && auth.rolesOf(user).includes(role);
  return {
    definition: services.auth,
    implementation: {
      Authenticate: open,
      AuthEnable: method(() => auth.enable()),
      AuthDisable: method(() => auth.disable()),
      AuthStatus: method(() => ({ enabled: auth.enabled, authRevision: String(auth.revision) })),
      UserAdd: method(({ name, password, options }: AddUser) =>
        auth.addUser(name, options?.no_password ? undefined : password),
      ),
      UserGet: method(
        ({ name }: { name: string }) => ({ roles: auth.rolesOf(name) }),
        (user, { name }) => user === name,
      ),
      UserList: method(() => ({ users: auth.users() })),
      UserDelete: method(({ name }: { name: string }) => auth.deleteUser(name)),
      UserChangePassword: method(({ name, password }: AddUser) => auth.changePassword(name, password)),
      UserGrantRole: method(({ user, role }: { user: string; role: string }) => auth.grantRole(user, role)),
      UserRevokeRole: method(({ name, role }: { name: string; role: string }) => auth.revokeRole(name, role)),
      RoleAdd: method(({ name }: { name: string }) => auth.addRole(name)),
      RoleGet: method(
        ({ role }: { role: string }) => ({ perm: auth.permissionsOf(role).map(wirePermission) }),
        (user, { role }) => hasRole(user, role),
      ),
      RoleList: method(() => ({ roles: auth.roles() })),
      RoleDelete: method(({ role }: { role: string }) => auth.deleteRole(role)),
      RoleGrantPermission: method(({ name, perm }: { name: string; perm: WirePermission | null }) => {
        const type = perm && permissionTypes[perm.permType];
        if (!type) throw etcdError('PermissionNotGiven');
        return auth.grantPermission(name, { type, key: latin1(perm.key), rangeEnd: latin1(perm.range_end) });
      }),
      RoleRevokePermission: method((request: { role: string; key: Buffer; range_end: Buffer }) => {
        const { role, key, range_end: rangeEnd } = request;
        return auth.revokePermission(role, { key: latin1(key), rangeEnd: latin1(rangeEnd) });
      }),
    },
  };
}

function wirePermission({
  type,
  key,
  rangeEnd,
}: {
  type: PermissionType;
  key: string;
  rangeEnd: string;
}): WirePermission {
  const bytes = (text: string) => Buffer.from(text, 'latin1');
  return { permType: permissionTypes.indexOf(type), key: bytes(key), range_end: bytes(rangeEnd) };
}
