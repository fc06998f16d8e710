// Where this host gets its Debian packages from, so that the node image comes from the same mirror through the same proxy.
// Pure parsing; the caller reads the files.

export interface AptMirrors {
  /** Of the main archive; absent when this host has none, and the builder's own default is as good as any. */
  main?: string;
  /** Of security updates; absent when the mirror is not one of Debian's layout. */
  security?: string;
}

interface AptEntry {
  uri: string;
  suite: string;
}

function oneLineEntries(text: string): AptEntry[] {
  return text.split('\n').flatMap((raw) => {
    const line = raw.replace(/#.*$/, '').trim();
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    return match ? [{ uri: match[1]!, suite: match[2]! }] : [];
  });
}

function paragraphFields(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last: string | undefined;
  for (const line of paragraph.split('\n')) {
    if (line.startsWith('#')) continue;
    const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (field) {
      last = field[1]!.toLowerCase();
      fields.set(last, field[2]!);
    } else if (last && /^\s/.test(line)) {
      fields.set(last, `${fields.get(last) ?? ''} ${line.trim()}`);
    }
  }
  return fields;
}

function deb822Entries(text: string): AptEntry[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = paragraphFields(paragraph);
    const words = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
    if (!words('types').includes('deb') || /^(no|false|0)$/i.test(fields.get('enabled')?.trim() ?? 'yes')) return [];
    return words('uris').flatMap((uri) => words('suites').map((suite) => ({ uri, suite })));
  });
}

/**
 * The mirrors named by apt source files (`name` decides the format: `.sources` is deb822, everything else one line per
 * source). Only http(s) entries of Debian's own suites count; without any, none.
 */
export function mirrorsOf(files: readonly { name: string; text: string }[]): AptMirrors {
  const entries = files
    .flatMap(({ name, text }) => (name.endsWith('.sources') ? deb822Entries(text) : oneLineEntries(text)))
    .map((entry) => ({ ...entry, uri: entry.uri.replace(/\/+$/, '') }))
    .filter((entry) => /^https?:\/\//.test(entry.uri));
  const security = entries.find((entry) => entry.suite.endsWith('-security') && entry.uri.endsWith('debian-security'));
  const main = entries.find(
    (entry) =>
      /^(buster|bullseye|bookworm|trixie|forky|sid|stable|testing)$/.test(entry.suite) && entry.uri.endsWith('/debian'),
  );
  if (!main) return {};
  return { main: main.uri, ...(security && { security: security.uri }) };
}

const carriedSettings = /^Acquire::(https?::|ftp::|Retries|Check-Valid-Until|Check-Date|ForceIPv4|ForceIPv6)/i;

/**
 * The apt settings of this host that decide whether its mirror can be reached (proxies, certificates, date checks), from
 * `apt-config dump`, as lines for another apt configuration.
 */
export function carriedAptOptions(dump: string): string[] {
  return dump
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => carriedSettings.test(line) && !line.endsWith(' "";'))
    .map((line) => line.replace(/;$/, ''));
}
