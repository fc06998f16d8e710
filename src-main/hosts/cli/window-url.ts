// The address that opens the browser shell.

import { type HostFile, tokenParameter } from '../../contract';

export function windowUrl(file: HostFile): string {
  return `${file.url}/?${new URLSearchParams({ [tokenParameter]: file.token })}`;
}
