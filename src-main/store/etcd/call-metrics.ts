// Counts of calls by service, method and code, under the names etcd's gRPC server gives them.

import {
  type sendUnaryData,
  type ServerUnaryCall,
  status,
  type ServiceError,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import type { MountedService } from './extension';

interface MethodCount {
  labels: string;
  started: number;
  handled: Map<number, number>;
}

/** Go's names of the codes, which etcd's labels carry. */
const codeNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

interface StreamCall {
  on(event: string, listener: (error?: unknown) => void): void;
}

export class CallMetrics {
  private readonly methods: MethodCount[] = [];

  /** The same service with its calls counted. */
  count(service: MountedService): MountedService {
    const implementation = { ...service.implementation };
    for (const [name, method] of Object.entries(service.definition)) {
      const handler = implementation[name] ?? implementation[method.originalName ?? ''];
      if (!handler) continue;
      const [, path = '', methodName = name] = method.path.split('/');
      const kind = method.responseStream ? (method.requestStream ? 'bidi_stream' : 'server_stream') : 'unary';
      const labels = `grpc_method="${methodName}",grpc_service="${path}",grpc_type="${kind}"`;
      const count: MethodCount = { labels, started: 0, handled: new Map() };
      this.methods.push(count);
      implementation[name] = method.responseStream ? countStream(handler, count) : countUnary(handler, count);
    }
    return { definition: service.definition, implementation };
  }

  /** Requests of the KV service so far. */
  operations(): { puts: number; deletes: number; ranges: number; txns: number } {
    const of = (name: string) =>
      this.methods.find(({ labels }) => labels.startsWith(`grpc_method="${name}",grpc_service="etcdserverpb.KV"`))
        ?.started ?? 0;
    return { puts: of('Put'), deletes: of('DeleteRange'), ranges: of('Range'), txns: of('Txn') };
  }

  lines(): string[] {
    const started = this.methods.map(({ labels, started: value }) => `grpc_server_started_total{${labels}} ${value}`);
    const handled = this.methods.flatMap(({ labels, handled: codes }) =>
      [...codes].map(([code, value]) => `grpc_server_handled_total{grpc_code="${codeNames[code]}",${labels}} ${value}`),
    );
    return [
      '# HELP grpc_server_started_total Total number of RPCs started on the server.',
      '# TYPE grpc_server_started_total counter',
      ...started,
      '# HELP grpc_server_handled_total Total number of RPCs completed on the server, regardless of success or failure.',
      '# TYPE grpc_server_handled_total counter',
      ...handled,
    ];
  }
}

function countHandled(count: MethodCount, code: number): void {
  count.handled.set(code, (count.handled.get(code) ?? 0) + 1);
}

function countUnary(handler: UntypedHandleCall, count: MethodCount): UntypedHandleCall {
  const inner = handler as (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) => void;
  return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) => {
    count.started++;
    inner(call, (error, ...rest) => {
      countHandled(count, error ? (error.code ?? status.UNKNOWN) : status.OK);
      callback(error, ...rest);
    });
  };
}

function countStream(handler: UntypedHandleCall, count: MethodCount): UntypedHandleCall {
  const inner = handler as unknown as (call: StreamCall) => void;
  const counted = (call: StreamCall) => {
    count.started++;
    let told = false;
    const tell = (code: number) => {
      if (!told) countHandled(count, code);
      told = true;
    };
    call.on('finish', () => tell(status.OK));
    call.on('cancelled', () => tell(status.CANCELLED));
    call.on('error', (error) => tell((error as ServiceError).code ?? status.UNKNOWN));
    inner(call);
  };
  return counted as unknown as UntypedHandleCall;
}
