// Decoding: a JSON value against its schema, in place. Unknown fields are dropped and reported, nulls are dropped (they
// mean absent), quantities and times become canonical as Kubernetes' own types make them, and values of the wrong type
// are reported in the words of the Go decoder that clients know.

import { PilothouseError } from '../kit';
import { formatMicroTime, formatTime } from './duration';
import type { FieldError } from './field-error';
import { canonicalQuantity } from './quantity';
import type { Schema } from './schema';
import { scalarDefinitions, schemaOf } from './schema';

export interface Decoded {
  /** Paths of dropped fields: spec.template.foo, spec.containers[0].bar. */
  unknownFields: string[];
  /** `detail` is the decoder's whole message. */
  typeErrors: FieldError[];
}

interface Place {
  /** spec.containers[0].image, for people. */
  path: string;
  /** spec.containers.image, as Go's decoder names it. */
  goPath: string;
  /** Definition of the innermost Go struct. */
  struct: string;
}

const int32 = { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };

function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? 'object' : typeof value;
}

function goTypeOf(schema: Schema): string {
  if (schema.$ref) return schema.$ref.split('.').slice(-2).join('.');
  if (schema.type === 'array') return `[]${goTypeOf(schema.items ?? {})}`;
  if (schema.additionalProperties) return `map[string]${goTypeOf(schema.additionalProperties)}`;
  if (schema.type === 'integer') return schema.format ?? 'int64';
  if (schema.type === 'number') return 'float64';
  return schema.type === 'boolean' ? 'bool' : (schema.type ?? 'interface {}');
}

class Decoder {
  readonly result: Decoded = { unknownFields: [], typeErrors: [] };

  object(schema: Schema, name: string, value: Record<string, unknown>, place: Place): void {
    const properties = schema.properties;
    if (!properties) return;
    for (const field of Object.keys(value)) {
      const property = Object.hasOwn(properties, field) ? properties[field] : undefined;
      if (property && plainlyFits(property, value[field])) continue;
      // In-process callers build objects with optional members that are undefined: on the wire they would not exist.
      if (value[field] === undefined) {
        delete value[field];
        continue;
      }
      const path = place.path ? `${place.path}.${field}` : field;
      if (!property) {
        this.result.unknownFields.push(path);
        delete value[field];
      } else if (value[field] === null) {
        delete value[field];
      } else {
        const goPath = place.goPath ? `${place.goPath}.${field}` : field;
        value[field] = this.value(property, value[field], { path, goPath, struct: name });
      }
    }
  }

  private value(schema: Schema, value: unknown, place: Place): unknown {
    if (schema.$ref) return this.reference(schema.$ref, value, place);
    switch (schema.type) {
      case undefined:
        return value;
      case 'array':
        return this.array(schema, value, place);
      case 'object':
        return this.map(schema, value, place);
      default:
        this.scalar(schema, value, place);
        return value;
    }
  }

  private reference(name: string, value: unknown, place: Place): unknown {
    switch (name) {
      case scalarDefinitions.quantity:
        return this.quantity(value, place);
      case scalarDefinitions.time:
      case scalarDefinitions.microTime:
        return this.time(name, value, place);
      case scalarDefinitions.intOrString:
        if (typeof value === 'string' || Number.isInteger(value)) return value;
        this.mismatch(place, value, 'int32');
        return value;
      default: {
        const schema = schemaOf(name);
        if (schema.type !== 'object') return value;
        if (!isObject(value)) this.mismatch(place, value, name.split('.').slice(-2).join('.'));
        else this.object(schema, name, value, place);
        return value;
      }
    }
  }

  private array(schema: Schema, value: unknown, place: Place): unknown {
    if (!Array.isArray(value)) {
      this.mismatch(place, value, goTypeOf(schema));
      return value;
    }
    const item = schema.items ?? {};
    const list = value as unknown[];
    for (let index = 0; index < list.length; index += 1) {
      if (plainlyFits(item, list[index])) continue;
      if (list[index] === null) list[index] = zeroOf(item);
      else list[index] = this.value(item, list[index], { ...place, path: `${place.path}[${index}]` });
    }
    return value;
  }

  private map(schema: Schema, value: unknown, place: Place): unknown {
    if (!isObject(value)) {
      this.mismatch(place, value, goTypeOf(schema));
      return value;
    }
    const item = schema.additionalProperties;
    if (!item) return value;
    for (const key of Object.keys(value)) {
      if (plainlyFits(item, value[key])) continue;
      if (value[key] === undefined) delete value[key];
      else if (value[key] === null) value[key] = zeroOf(item);
      else value[key] = this.value(item, value[key], { ...place, path: `${place.path}.${key}` });
    }
    return value;
  }

  private scalar(schema: Schema, value: unknown, place: Place): void {
    const expected = goTypeOf(schema);
    if (schema.type === 'string') {
      if (typeof value !== 'string') this.mismatch(place, value, expected);
      else if (schema.format === 'byte' && !isBase64(value)) {
        this.report(place, value, `illegal base64 data at input byte ${badBase64Byte(value)}`);
      }
    } else if (schema.type === 'boolean') {
      if (typeof value !== 'boolean') this.mismatch(place, value, expected);
    } else if (typeof value !== 'number') {
      this.mismatch(place, value, expected);
    } else if (schema.type === 'integer' && !fits(value, schema.format)) {
      this.mismatch(place, value, expected, `number ${value}`);
    }
  }

  private quantity(value: unknown, place: Place): unknown {
    if (typeof value !== 'string' && typeof value !== 'number') {
      this.mismatch(place, value, 'resource.Quantity');
      return value;
    }
    try {
      return canonicalQuantity(value);
    } catch (error) {
      if (!(error instanceof PilothouseError)) throw error;
      this.report(place, value, error.message);
      return value;
    }
  }

  private time(name: string, value: unknown, place: Place): unknown {
    if (typeof value !== 'string') {
      this.mismatch(place, value, 'string');
      return value;
    }
    const micro = name === scalarDefinitions.microTime;
    const match = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.exec(value);
    const time = match ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(time)) {
      const layout = micro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00';
      this.report(
        place,
        value,
        `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse "${value}" as "2006"`,
      );
      return value;
    }
    if (!micro) return formatTime(time);
    const fraction = (match?.[1] ?? '.').slice(1, 7).padEnd(6, '0');
    return formatMicroTime(time).replace(/\.\d{6}Z$/, `.${fraction}Z`);
  }

  mismatch(place: Place, value: unknown, goType: string, shown = jsonTypeOf(value)): void {
    const target = place.goPath ? `Go struct field ${lastPart(place.struct)}.${place.goPath}` : 'Go value';
    this.report(place, value, `json: cannot unmarshal ${shown} into ${target} of type ${goType}`);
  }

  private report(place: Place, value: unknown, detail: string): void {
    this.result.typeErrors.push({ type: 'FieldValueTypeInvalid', field: place.path, badValue: value, detail });
  }
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** The common case, decided without building any path: most values are strings and booleans as they should be. */
function plainlyFits(schema: Schema, value: unknown): boolean {
  if (schema.type === 'string') return typeof value === 'string' && schema.format !== 'byte';
  return schema.type === 'boolean' && typeof value === 'boolean';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fits(value: number, format: string | undefined): boolean {
  if (!Number.isInteger(value)) return false;
  return format !== 'int32' || (value >= int32.minimum && value <= int32.maximum);
}

function zeroOf(schema: Schema): unknown {
  if (schema.$ref === scalarDefinitions.quantity) return '0';
  if (schema.$ref || schema.type === 'object') return {};
  if (schema.type === 'string') return '';
  if (schema.type === 'boolean') return false;
  if (schema.type === 'array') return [];
  return schema.type ? 0 : null;
}

function isBase64(text: string): boolean {
  const clean = text.replaceAll(/[\r\n]/g, '');
  return clean.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(clean);
}

function badBase64Byte(text: string): number {
  const bad = text.search(/[^A-Za-z0-9+/=\r\n]/);
  return bad >= 0 ? bad : Math.max(0, text.length - (text.length % 4));
}

/** Decodes `value` in place against a definition. Throws SCHEMA_UNKNOWN for an unknown definition. */
export function pruneUnknown(schemaName: string, value: unknown): Decoded {
  const decoder = new Decoder();
  const schema = schemaOf(schemaName);
  if (!isObject(value)) {
    decoder.mismatch({ path: '', goPath: '', struct: schemaName }, value, schemaName.split('.').slice(-2).join('.'));
  } else {
    decoder.object(schema, schemaName, value, { path: '', goPath: '', struct: schemaName });
  }
  return decoder.result;
}

/** Message of the 400 BadRequest upstream answers to a body of the wrong types. */
export function decodeErrorMessage(kind: string, version: string, errors: readonly FieldError[]): string {
  return `${kind} in version "${version}" cannot be handled as a ${kind}: ${errors[0]?.detail ?? 'unknown'}`;
}

/** Message of the 400 BadRequest of fieldValidation=Strict. */
export function strictDecodeMessage(unknownFields: readonly string[]): string {
  return `strict decoding error: ${unknownFields.map((field) => `unknown field "${field}"`).join(', ')}`;
}
