// Registry credentials out of kubernetes.io/dockerconfigjson Secrets.

import type { RegistryAuth } from '../runtime/runtime';

interface DockerConfig {
  auths?: Record<string, RegistryAuth>;
}

function hostOf(server: string): string {
  const host = server.replace(/^https?:\/\//, '').split('/')[0]!;
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

/** `text` is the decoded `.dockerconfigjson` (or `.dockercfg`, which is its `auths` alone). Malformed text holds none. */
export function credentialsOf(text: string): Map<string, RegistryAuth> {
  const out = new Map<string, RegistryAuth>();
  let config: DockerConfig;
  try {
    config = JSON.parse(text) as DockerConfig;
  } catch (error) {
    if (error instanceof SyntaxError) return out;
    throw error;
  }
  const auths = config.auths ?? (config as Record<string, RegistryAuth>);
  for (const [server, entry] of Object.entries(auths)) {
    const [username, ...rest] = entry.auth ? Buffer.from(entry.auth, 'base64').toString('utf8').split(':') : [];
    out.set(hostOf(server), {
      username: entry.username ?? username,
      password: entry.password ?? (rest.length > 0 ? rest.join(':') : undefined),
      identitytoken: entry.identitytoken,
      serveraddress: server,
    });
  }
  return out;
}
