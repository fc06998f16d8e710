import { describe, expect, it } from 'vitest';
import { carriedAptOptions, mirrorsOf } from './apt-sources';

describe('mirrorsOf', () => {
  it('reads the deb822 format, comments and folded lines included', () => {
    const text = [
      'Types: deb',
      '# a comment',
      'URIs: http://mirror.example/debian/',
      'Suites: bookworm',
      ' bookworm-updates',
      'Components: main',
      '',
      'Types: deb',
      'URIs: http://mirror.example/debian-security',
      'Suites: bookworm-security',
      'Components: main',
    ].join('\n');
    expect(mirrorsOf([{ name: 'debian.sources', text }])).toEqual({
      main: 'http://mirror.example/debian',
      security: 'http://mirror.example/debian-security',
    });
  });

  it('reads one-line sources with options and skips other vendors', () => {
    const text = [
      'deb https://packages.other.example/apt stable main',
      'deb-src http://a.example/debian trixie main',
      'deb [arch=amd64 signed-by=/k.gpg] http://b.example/debian trixie main contrib # ours',
    ].join('\n');
    expect(mirrorsOf([{ name: 'sources.list', text }]).main).toBe('http://b.example/debian');
  });

  it('skips disabled paragraphs, local media and then names no mirror', () => {
    const text = 'Types: deb\nEnabled: no\nURIs: http://off.example/debian\nSuites: trixie\n';
    const cdrom = 'deb cdrom:[Debian]/ trixie main';
    expect(
      mirrorsOf([
        { name: 'a.sources', text },
        { name: 'b.list', text: cdrom },
      ]),
    ).toEqual({});
  });
});

describe('carriedAptOptions', () => {
  it('keeps proxies and date checks, drops everything else and what is empty', () => {
    const dump = [
      'APT::Architecture "amd64";',
      'Acquire::http::Proxy "http://127.0.0.1:3142";',
      'Acquire::https::CAInfo "/etc/x.pem";',
      'Acquire::http "";',
      'Acquire::Check-Valid-Until "false";',
      'Acquire::IndexTargets::deb::Packages::Optional "0";',
    ].join('\n');
    expect(carriedAptOptions(dump)).toEqual([
      'Acquire::http::Proxy "http://127.0.0.1:3142"',
      'Acquire::https::CAInfo "/etc/x.pem"',
      'Acquire::Check-Valid-Until "false"',
    ]);
  });
});
