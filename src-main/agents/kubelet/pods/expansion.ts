// $(NAME) references in env values, commands and arguments, as the Pod API documents them: `$$` is a literal `$`, an
// unknown name stays as it is written.

export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char !== '$' || at + 1 === text.length) {
      out += char;
      continue;
    }
    const next = text[at + 1]!;
    if (next === '$') {
      out += '$';
      at += 1;
      continue;
    }
    const end = next === '(' ? text.indexOf(')', at + 2) : -1;
    if (end === -1) {
      out += next === '(' ? '$(' : `$${next}`;
      at += 1;
      continue;
    }
    const name = text.slice(at + 2, end);
    out += lookup(name) ?? `$(${name})`;
    at = end;
  }
  return out;
}
