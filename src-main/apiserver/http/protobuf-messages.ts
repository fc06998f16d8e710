// The table of protobuf messages, taken apart when a message is first needed.

export interface Field {
  name: string;
  /** A code of the table, or the name of another message. */
  type: string;
  repeated: boolean;
  map: boolean;
  /** The message's fields belong to the object that has this field. */
  embedded: boolean;
}

export interface MessageTable {
  get(definition: string): ReadonlyMap<number, Field> | undefined;
}

function parseField(text: string): [number, Field] {
  const match = /^(!?)([^=]+)=(\d+):([*%]?)(.+)$/.exec(text);
  if (!match) throw new Error(`not a field of the protobuf table: ${text}`);
  const [, embedded, name, number, shape, type] = match;
  const field = { name: name!, type: type!, repeated: shape === '*', map: shape === '%', embedded: embedded === '!' };
  return [Number(number), field];
}

/** Reads the text form `name=number:type …` of each message. */
export function messageTable(source: Readonly<Record<string, string>>): MessageTable {
  const parsed = new Map<string, ReadonlyMap<number, Field>>();
  return {
    get(definition) {
      const known = parsed.get(definition);
      if (known) return known;
      const text = Object.hasOwn(source, definition) ? source[definition] : undefined;
      if (text === undefined) return undefined;
      const fields = new Map(text.split(' ').filter(Boolean).map(parseField));
      parsed.set(definition, fields);
      return fields;
    },
  };
}
