// gRPC's server reflection, so that generic clients can list the services and read their messages. The descriptors are
// those the proto files were loaded into; each package is one file there.

import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { MountedService } from './extension';
import { packages, services } from './protocol';
import { WireWriter } from './wire';

interface ReflectionRequest {
  message_request?: string;
  file_by_filename?: string;
  file_containing_symbol?: string;
}

/** Packages a package's messages refer to; the loader does not keep the imports. */
const imports: Record<string, readonly string[]> = {
  etcdserverpb: ['mvccpb', 'authpb'],
  v3lockpb: ['etcdserverpb'],
  v3electionpb: ['etcdserverpb', 'mvccpb'],
};

const fileName = (packageName: string) => `${packageName.replaceAll('.', '_')}.proto`;

export function reflectionService(names: readonly string[]): MountedService {
  const files = descriptorFiles();
  const answer = (request: ReflectionRequest): object => {
    const { message_request: kind } = request;
    if (kind === 'list_services') {
      return { list_services_response: { service: names.toSorted().map((name) => ({ name })) } };
    }
    if (kind === 'file_by_filename' || kind === 'file_containing_symbol') {
      const asked = kind === 'file_by_filename' ? request.file_by_filename! : request.file_containing_symbol!;
      const name = kind === 'file_by_filename' ? packageOfFile(files, asked) : packageOfSymbol(asked);
      if (name === undefined) return refusal(status.NOT_FOUND, `${asked} is not known here`);
      return { file_descriptor_response: { file_descriptor_proto: withImports(files, name) } };
    }
    return refusal(status.NOT_FOUND, 'there are no extensions here');
  };
  const ServerReflectionInfo = (call: ServerDuplexStream<ReflectionRequest, object>) => {
    call.on('data', (request: ReflectionRequest) => {
      const more = call.write({ valid_host: '', original_request: request, ...answer(request) });
      if (more) return;
      call.pause();
      call.once('drain', () => call.resume());
    });
    call.on('end', () => call.end());
  };
  return { definition: services.reflection, implementation: { ServerReflectionInfo } };
}

const refusal = (code: status, message: string) => ({ error_response: { error_code: code, error_message: message } });

/** Serialized descriptors by package. */
function descriptorFiles(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const [symbol, definition] of Object.entries(packages)) {
    if (!('fileDescriptorProtos' in definition)) continue;
    const names = packagesInOrder();
    (definition.fileDescriptorProtos as Buffer[]).forEach((bytes, i) => {
      const name = names[i];
      if (name !== undefined) files.set(name, addImports(bytes, imports[name] ?? []));
    });
    if (files.size === 0) throw new Error(`${symbol} has no descriptor`);
    break;
  }
  return files;
}

/** The loader makes one descriptor a package, in the order in which it met the packages. */
function packagesInOrder(): string[] {
  const names = Object.keys(packages).map((symbol) => packageOfSymbol(symbol)!);
  return [...new Set(names)];
}

/** Appends `dependency` fields: a repeated field may be continued at the end of a message. */
function addImports(bytes: Buffer, names: readonly string[]): Buffer {
  const parts = names.map((name) => {
    const file = fileName(name);
    const writer = new WireWriter(file.length + 2);
    writer.key(0x1a, file);
    return writer.bytes;
  });
  return Buffer.concat([bytes, ...parts]);
}

function packageOfFile(files: Map<string, Buffer>, file: string): string | undefined {
  return [...files.keys()].find((name) => fileName(name) === file);
}

/** The package of a service, message or method name; undefined when there is no such symbol. */
function packageOfSymbol(symbol: string): string | undefined {
  const known = packages[symbol] ? symbol : symbol.slice(0, symbol.lastIndexOf('.'));
  if (!packages[known]) return undefined;
  const parts = known.split('.');
  // A package's own names are lower-case; types and services begin with a capital.
  const first = parts.findIndex((part) => /^[A-Z]/.test(part));
  return parts.slice(0, first).join('.');
}

function withImports(files: Map<string, Buffer>, name: string): Buffer[] {
  const all = new Set<string>();
  const visit = (item: string) => {
    if (all.has(item)) return;
    all.add(item);
    imports[item]?.forEach(visit);
  };
  visit(name);
  return [...all].map((item) => files.get(item)!);
}
