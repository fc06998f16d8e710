// The v2 document in the binary form that client-go asks for: the messages of gnostic's OpenAPIv2.proto. Field numbers
// are that file's; only what our documents use is written.

import type { Schema } from '../../api';
import type { DocumentV2, OperationV2, ParameterV2 } from './document-v2';
import { ProtobufWriter } from './protobuf-writer';

const writer = () => new ProtobufWriter();

export function encodeDocumentV2(document: DocumentV2): Buffer {
  const info = writer().text(1, document.info.title).text(2, document.info.version);
  const paths = writer();
  for (const [path, item] of Object.entries(document.paths))
    paths.message(2, writer().text(1, path).message(2, pathItem(item)));
  return writer()
    .text(1, document.swagger)
    .message(2, info)
    .message(8, paths)
    .message(9, namedSchemas(document.definitions))
    .finish();
}

function namedSchemas(schemas: Record<string, Schema>): ProtobufWriter {
  const out = writer();
  for (const [name, value] of Object.entries(schemas)) out.message(1, writer().text(1, name).message(2, schema(value)));
  return out;
}

function schema(value: Schema): ProtobufWriter {
  const out = writer().text(1, value.$ref).text(2, value.format).text(4, value.description).texts(19, value.required);
  if (value.additionalProperties) out.message(21, writer().message(1, schema(value.additionalProperties)));
  if (value.type) out.message(22, writer().text(1, value.type));
  if (value.items) out.message(23, writer().message(1, schema(value.items)));
  if (value.properties) out.message(25, namedSchemas(value.properties));
  return extensions(out, 31, value);
}

/** `x-…` members, their values as YAML text, of which JSON is a part. */
function extensions(out: ProtobufWriter, field: number, value: object): ProtobufWriter {
  for (const [name, member] of Object.entries(value)) {
    if (!name.startsWith('x-') || member === undefined) continue;
    out.message(
      field,
      writer()
        .text(1, name)
        .message(2, writer().text(2, JSON.stringify(member))),
    );
  }
  return out;
}

const methodFields = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

function pathItem(item: DocumentV2['paths'][string]): ProtobufWriter {
  const out = writer();
  for (const [method, field] of Object.entries(methodFields)) {
    const found = item[method as keyof typeof methodFields];
    if (found) out.message(field, operation(found));
  }
  for (const parameter of item.parameters ?? []) out.message(9, parametersItem(parameter));
  return out;
}

function operation(value: OperationV2): ProtobufWriter {
  const out = writer()
    .texts(1, value.tags)
    .text(3, value.description)
    .text(5, value.operationId)
    .texts(6, value.produces)
    .texts(7, value.consumes);
  for (const parameter of value.parameters) out.message(8, parametersItem(parameter));
  const responses = writer();
  for (const [code, response] of Object.entries(value.responses)) {
    const body = writer().text(1, response.description);
    if (response.schema) body.message(2, writer().message(1, schema(response.schema)));
    responses.message(1, writer().text(1, code).message(2, writer().message(1, body)));
  }
  out.message(9, responses).texts(10, value.schemes);
  return extensions(out, 13, value);
}

function parametersItem(value: ParameterV2): ProtobufWriter {
  return writer().message(1, parameter(value));
}

function parameter(value: ParameterV2): ProtobufWriter {
  const { name, description, required, type } = value;
  if (value.in === 'body') {
    const body = writer().text(1, description).text(2, name).text(3, 'body').flag(4, required);
    return writer().message(1, body.message(5, schema(value.schema ?? {})));
  }
  const common = writer().flag(1, required).text(2, value.in).text(3, description).text(4, name);
  if (value.in === 'query') {
    common.text(6, type).flag(20, value.uniqueItems);
    return writer().message(2, writer().message(3, common));
  }
  common.text(5, type).flag(19, value.uniqueItems);
  return writer().message(2, writer().message(4, common));
}
