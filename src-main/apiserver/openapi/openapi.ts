// The OpenAPI documents, made when first asked for.

import { createHash } from 'node:crypto';
import type { Kind } from '../../api';
import type { Document } from '../discovery/discovery';
import { documentV2 } from './document-v2';
import { documentV3, groupVersionsOf } from './document-v3';
import { encodeDocumentV2 } from './protobuf-v2';

export class OpenApi {
  private readonly cache = new Map<string, Document>();

  constructor(private readonly kinds: readonly Kind[]) {}

  v2Json(): Document {
    return this.cached('v2', () => Buffer.from(JSON.stringify(documentV2(this.kinds)), 'utf8'));
  }

  v2Protobuf(): Document {
    return this.cached('v2 protobuf', () => encodeDocumentV2(documentV2(this.kinds)));
  }

  /** Which documents there are; each address carries its hash, so it may be cached for good. */
  v3Index(): Document {
    return this.cached('v3', () => {
      const paths: Record<string, { serverRelativeURL: string }> = {};
      for (const path of groupVersionsOf(this.kinds)) {
        const hash = this.v3(path)!.etag.replaceAll('"', '');
        paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
      }
      return Buffer.from(JSON.stringify({ paths }), 'utf8');
    });
  }

  /** `api/v1` or `apis/GROUP/VERSION`. */
  v3(path: string): Document | undefined {
    if (!groupVersionsOf(this.kinds).includes(path)) return undefined;
    return this.cached(`v3 ${path}`, () => Buffer.from(JSON.stringify(documentV3(this.kinds, path)), 'utf8'));
  }

  private cached(key: string, make: () => Buffer): Document {
    let document = this.cache.get(key);
    if (!document) {
      const body = make();
      document = { body, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` };
      this.cache.set(key, document);
    }
    return document;
  }
}
