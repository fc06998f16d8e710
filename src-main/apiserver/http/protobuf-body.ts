// Request bodies in Kubernetes' protobuf form, which typed clients of 1.32 and later send: decoded to the JSON value that
// the same client would else have sent. Field numbers come from a table of facts; answers are always JSON, which those
// clients accept as well.

import { kindSchemas } from '../../api';
import table from '../../../resources/protobuf/messages.json';
import { badRequest } from '../status/errors';
import { type Field, messageTable } from './protobuf-messages';

export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

/** What every such body begins with. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
const deleteOptions = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
const messages = messageTable(table.messages);

type JsonObject = Record<string, unknown>;

/** Pointers in the Go types: absent and zero differ, so a zero on the wire is meant. */
const meaningfulZeros = new Set(
  [
    'replicas gracePeriodSeconds terminationGracePeriodSeconds deletionGracePeriodSeconds activeDeadlineSeconds',
    'parallelism completions backoffLimit ttlSecondsAfterFinished revisionHistoryLimit progressDeadlineSeconds',
    'successfulJobsHistoryLimit failedJobsHistoryLimit startingDeadlineSeconds defaultMode mode runAsUser runAsGroup',
    'fsGroup expirationSeconds tolerationSeconds partition priority minReplicas backoffLimitPerIndex maxFailedIndexes',
    'leaseDurationSeconds leaseTransitions limit automountServiceAccountToken enableServiceLinks immutable controller',
    'blockOwnerDeletion optional allowPrivilegeEscalation privileged runAsNonRoot readOnlyRootFilesystem suspend',
    'shareProcessNamespace hostUsers allocateLoadBalancerNodePorts orphanDependents ready serving terminating value',
  ].flatMap((line) => line.split(' ')),
);

class Reader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw malformed();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed();
  }

  take(length: number): Buffer {
    const end = this.at + length;
    if (end > this.bytes.length) throw malformed();
    const part = this.bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }
}

function malformed() {
  return badRequest('error decoding the body as protobuf: the message is malformed');
}

/** Calls back with each field: its number, and its value as a number (wire types 0, 1, 5) or bytes (2). */
function eachField(bytes: Buffer, onField: (number: number, value: bigint | Buffer) => void): void {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = Number(reader.varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        onField(number, reader.varint());
        break;
      case 1:
        onField(number, reader.take(8));
        break;
      case 2:
        onField(number, reader.take(Number(reader.varint())));
        break;
      case 5:
        onField(number, reader.take(4));
        break;
      default:
        throw malformed();
    }
  }
}

function fieldsOf(bytes: Buffer): Map<number, bigint | Buffer> {
  const fields = new Map<number, bigint | Buffer>();
  eachField(bytes, (number, value) => fields.set(number, value));
  return fields;
}

function text(value: bigint | Buffer | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : '';
}

function integer(value: bigint | Buffer | undefined): number {
  return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0;
}

function time(bytes: Buffer, micro: boolean): string | undefined {
  const fields = fieldsOf(bytes);
  if (!fields.has(1)) return undefined;
  const nanos = integer(fields.get(2));
  const whole = new Date(integer(fields.get(1)) * 1000).toISOString().slice(0, 19);
  return micro ? `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${whole}Z`;
}

const readers: Readonly<Record<string, (value: bigint | Buffer) => unknown>> = {
  s: text,
  y: (value) => (Buffer.isBuffer(value) ? value.toString('base64') : ''),
  b: (value) => value !== 0n,
  i: integer,
  d: (value) => (Buffer.isBuffer(value) && value.length === 8 ? value.readDoubleLE() : 0),
  Q: (value) => text(fieldsOf(bytesOf(value)).get(1)),
  T: (value) => time(bytesOf(value), false),
  U: (value) => time(bytesOf(value), true),
  I: (value) => {
    const fields = fieldsOf(bytesOf(value));
    return integer(fields.get(1)) === 1 ? text(fields.get(3)) : integer(fields.get(2));
  },
  D: (value) => `${integer(fieldsOf(bytesOf(value)).get(1)) / 1e9}s`,
  R: (value) => {
    const raw = text(fieldsOf(bytesOf(value)).get(1));
    return raw ? (JSON.parse(raw) as unknown) : undefined;
  },
};

function bytesOf(value: bigint | Buffer): Buffer {
  if (!Buffer.isBuffer(value)) throw malformed();
  return value;
}

function valueOf(type: string, value: bigint | Buffer): unknown {
  const read = readers[type];
  return read ? read(value) : decodeMessage(type, bytesOf(value), {});
}

function decodeMessage(definition: string, bytes: Buffer, into: JsonObject): JsonObject {
  const fields = messages.get(definition);
  if (!fields) throw badRequest(`error decoding the body as protobuf: ${definition} is not known`);
  eachField(bytes, (number, value) => {
    const field = fields.get(number);
    if (field) setField(field, value, into);
  });
  return into;
}

function setField(field: Field, value: bigint | Buffer, into: JsonObject): void {
  const { name, type } = field;
  if (field.embedded) {
    decodeMessage(type, bytesOf(value), into);
    return;
  }
  if (field.repeated) {
    ((into[name] ??= []) as unknown[]).push(valueOf(type, value));
    return;
  }
  if (field.map) {
    const entry = fieldsOf(bytesOf(value));
    const item = entry.get(2);
    const map = (into[name] ??= {}) as JsonObject;
    map[text(entry.get(1))] = item === undefined ? valueOf(type, Buffer.alloc(0)) : valueOf(type, item);
    return;
  }
  const decoded = valueOf(type, value);
  if (decoded === undefined || decoded === '') return;
  if ((decoded === 0 && type === 'i') || decoded === false) {
    if (!meaningfulZeros.has(name)) return;
  }
  into[name] = decoded;
}

let definitions: Map<string, string> | undefined;

function definitionOf(apiVersion: string, kind: string): string {
  if (kind === 'DeleteOptions') return deleteOptions;
  definitions ??= new Map(
    kindSchemas().map((item) => [`${item.group ? `${item.group}/` : ''}${item.version} ${item.kind}`, item.name]),
  );
  const found = definitions.get(`${apiVersion} ${kind}`);
  if (!found) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return found;
}

/** The JSON value of a protobuf body. Throws 400. */
export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, magic.length).equals(magic)) throw malformed();
  const envelope = fieldsOf(body.subarray(magic.length));
  const typeMeta = fieldsOf(bytesOf(envelope.get(1) ?? Buffer.alloc(0)));
  const apiVersion = text(typeMeta.get(1));
  const kind = text(typeMeta.get(2));
  const raw = bytesOf(envelope.get(2) ?? Buffer.alloc(0));
  return decodeMessage(definitionOf(apiVersion, kind), raw, { apiVersion, kind });
}
