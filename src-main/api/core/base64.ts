// Base64 of UTF-8 text without Node or DOM: the folder is pure.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function utf8Bytes(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    else {
      const tail = [0x80 | ((point >> 12) & 0x3f), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)];
      bytes.push(0xf0 | (point >> 18), ...tail);
    }
  }
  return bytes;
}

/** Standard base64, padded, of the text's UTF-8 bytes. */
export function encodeBase64Text(text: string): string {
  const bytes = utf8Bytes(text);
  let result = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const [first = 0, second, third] = bytes.slice(index, index + 3);
    const group = (first << 16) | ((second ?? 0) << 8) | (third ?? 0);
    result += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]!;
    result += second === undefined ? '=' : alphabet[(group >> 6) & 63]!;
    result += third === undefined ? '=' : alphabet[group & 63]!;
  }
  return result;
}
