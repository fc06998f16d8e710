// Who makes a request.

export interface User {
  name: string;
  uid?: string;
  groups: readonly string[];
}

export const anonymousUser: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
export const authenticatedGroup = 'system:authenticated';

/** A user with the group that every authenticated one has. */
export function authenticated(user: User): User {
  if (user.groups.includes(authenticatedGroup)) return user;
  return { ...user, groups: [...user.groups, authenticatedGroup] };
}
