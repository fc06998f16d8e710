// Between an object and its bytes. A stored value is JSON that starts with kind, apiVersion and metadata and has no
// resourceVersion; what is sent has it as the first field of metadata. Because that place is the same for all objects
// of a kind, the sent bytes are a splice of the stored ones: an object is serialized once a write, whoever reads it.

import type { Kind, KubeObject } from '../../api';
import { deepFreeze } from '../../client';

/** One version of an object: frozen, with the bytes every reader is sent. */
export interface Entry {
  readonly key: string;
  readonly object: KubeObject;
  /** JSON with metadata.resourceVersion. */
  readonly bytes: Buffer;
  readonly revision: number;
}

const metadataMarker = '"metadata":{';

export function apiVersionOf(kind: { group: string; version: string }): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version;
}

export class Codec {
  private readonly head: string;
  readonly apiVersion: string;

  constructor(private readonly kind: Kind) {
    this.apiVersion = apiVersionOf(kind);
    this.head = `{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},${metadataMarker}`;
  }

  /** The bytes to store: kind and apiVersion as the kind says, no resourceVersion. */
  encode(object: KubeObject): Buffer {
    const { resourceVersion: _version, ...metadata } = object.metadata;
    const { kind: _kind, apiVersion: _apiVersion, metadata: _metadata, ...rest } = object;
    const draft = { kind: this.kind.kind, apiVersion: this.apiVersion, metadata, ...rest };
    return Buffer.from(JSON.stringify(draft), 'utf8');
  }

  /** The entry of stored bytes; `known` is the object they were made from, when the caller has it: it is taken over. */
  entry(stored: { key: string; value: Buffer; revision: number }, known?: KubeObject): Entry {
    const { key, revision } = stored;
    const value = this.startsWell(stored.value) ? stored.value : this.encode(parse(stored.value));
    const object = known ?? parse(value);
    object.kind = this.kind.kind;
    object.apiVersion = this.apiVersion;
    object.metadata.resourceVersion = String(revision);
    return { key, object: deepFreeze(object), bytes: this.splice(value, 0, revision), revision };
  }

  /** The same object at another revision: what a deletion event shows. */
  atRevision(entry: Entry, revision: number): Entry {
    const old = versionField(entry.revision).length;
    const object = { ...entry.object, metadata: { ...entry.object.metadata, resourceVersion: String(revision) } };
    const bytes = this.splice(entry.bytes, old, revision);
    return { key: entry.key, object: deepFreeze(object), bytes, revision };
  }

  /** The stored form of an entry's bytes. */
  storedBytes(entry: Entry): Buffer {
    const head = this.head.length;
    const skip = versionField(entry.revision).length;
    return Buffer.concat([entry.bytes.subarray(0, head), entry.bytes.subarray(head + skip)]);
  }

  private startsWell(value: Buffer): boolean {
    // latin1 is enough: heads are ASCII.
    return value.length > this.head.length && value.toString('latin1', 0, this.head.length) === this.head;
  }

  private splice(value: Buffer, skip: number, revision: number): Buffer {
    const head = this.head.length;
    const field = versionField(revision);
    const out = Buffer.allocUnsafe(value.length - skip + field.length);
    value.copy(out, 0, 0, head);
    out.write(field, head, 'latin1');
    value.copy(out, head + field.length, head + skip);
    return out;
  }
}

function versionField(revision: number): string {
  return `"resourceVersion":"${revision}",`;
}

function parse(value: Buffer): KubeObject {
  return JSON.parse(value.toString('utf8')) as KubeObject;
}
