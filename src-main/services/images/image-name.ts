// The form of an image's name, as Docker's reference grammar has it (without digest).

import { PilothouseError } from '../../kit';

const pathPart = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const host = '[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?';
const reference = new RegExp(`^(?:${host}/)?${pathPart}(?:/${pathPart})*(?::([\\w][\\w.-]{0,127}))?$`);

/** The name with its tag (`latest` when it has none). Error IMAGE_INVALID (details.field "name"). */
export function checkImageName(name: string): string {
  const match = reference.exec(name);
  if (match) return match[1] === undefined ? `${name}:latest` : name;
  throw new PilothouseError({
    code: 'IMAGE_INVALID',
    message: `name: "${name}" is not the name of an image`,
    hint: 'Allowed: repository:tag, such as web:1 or example.org/team/web:1.0, in lower case.',
    details: { field: 'name' },
  });
}
