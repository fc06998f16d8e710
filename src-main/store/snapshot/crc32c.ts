// The CRC-32C checksum (Castagnoli), which etcd's hashes are; eight bytes a step, from eight tables.

const polynomial = 0x82f63b78;
const tables = makeTables();

/** Continues the checksum `crc` (0 at the beginning) over `bytes`. */
export function crc32c(crc: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let value = ~crc;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    value ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    value =
      t7[value & 0xff]! ^
      t6[(value >>> 8) & 0xff]! ^
      t5[(value >>> 16) & 0xff]! ^
      t4[value >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) value = (value >>> 8) ^ t0[(value ^ bytes[i]!) & 0xff]!;
  return ~value >>> 0;
}

type Tables = [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

function makeTables(): Tables {
  const made = Array.from({ length: 8 }, () => new Int32Array(256)) as Tables;
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    made[0][byte] = value;
  }
  for (let byte = 0; byte < 256; byte++) {
    let value = made[0][byte]!;
    for (let table = 1; table < 8; table++) {
      value = made[0][value & 0xff]! ^ (value >>> 8);
      made[table]![byte] = value;
    }
  }
  return made;
}
