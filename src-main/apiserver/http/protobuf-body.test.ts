import { describe, expect, it } from 'vitest';
import { ProtobufWriter } from '../openapi/protobuf-writer';
import { decodeProtobuf } from './protobuf-body';

const writer = () => new ProtobufWriter();

function body(apiVersion: string, kind: string, raw: ProtobufWriter): Buffer {
  const envelope = writer().message(1, writer().text(1, apiVersion).text(2, kind)).message(2, raw);
  return Buffer.concat([Buffer.from('k8s\0'), envelope.finish()]);
}

describe('decodeProtobuf', () => {
  it('reads maps, bytes and metadata, and leaves empty strings out', () => {
    const metadata = writer().text(1, 'x').message(8, writer());
    const data = writer().text(1, 'key').text(2, 'value');
    const raw = writer().message(1, metadata).message(2, data).message(3, writer().text(1, 'bin').text(2, 'abc'));
    expect(decodeProtobuf(body('v1', 'ConfigMap', raw))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x' },
      data: { key: 'value' },
      binaryData: { bin: 'YWJj' },
    });
  });

  it('flattens embedded messages and keeps lists in order', () => {
    const emptyDir = writer().message(2, writer().text(1, 'Memory'));
    const spec = writer()
      .message(1, writer().text(1, 'scratch').message(2, emptyDir))
      .message(2, writer().text(1, 'a').texts(3, ['sh', '-c']))
      .message(2, writer().text(1, 'b'));
    expect(decodeProtobuf(body('v1', 'Pod', writer().message(2, spec)))).toMatchObject({
      spec: {
        volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory' } }],
        containers: [{ name: 'a', command: ['sh', '-c'] }, { name: 'b' }],
      },
    });
  });

  it('reads DeleteOptions of any version', () => {
    const raw = writer().text(4, 'Background');
    expect(decodeProtobuf(body('apps/v1', 'DeleteOptions', raw))).toMatchObject({ propagationPolicy: 'Background' });
  });

  it.each([
    ['nothing', Buffer.from('')],
    ['no magic', Buffer.from('{}')],
    ['a cut message', body('v1', 'ConfigMap', writer().text(1, 'x')).subarray(0, -1)],
    ['an unknown kind', body('v9', 'Thing', writer())],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decodeProtobuf(bytes)).toThrow(/protobuf|no kind/);
  });
});
