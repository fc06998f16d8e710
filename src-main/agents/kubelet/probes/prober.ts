// Performs one probe or lifecycle action against a container: exec in it, HTTP, TCP or gRPC to the Pod.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { ActionHandler, Container, HTTPGetAction, IntOrString } from '../../../api';
import { PilothouseError, messageOf } from '../../../kit';
import type { ContainerRuntime } from '../runtime/runtime';
import { checkGrpcHealth } from './grpc-health';
import type { ProbeResult } from './probe-worker';

export interface ProbeTarget {
  container: Container;
  containerId: string;
  podIP: string;
}

const maxBody = 10_240;

export function portOf(container: Container, port: IntOrString): number {
  const found = typeof port === 'number' ? port : container.ports?.find((entry) => entry.name === port)?.containerPort;
  const number = found ?? Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new PilothouseError({
    code: 'PROBE_PORT',
    message: `couldn't find port: ${port} in container ${container.name}`,
  });
}

function httpGet(action: HTTPGetAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const host = action.host || target.podIP;
  const port = portOf(target.container, action.port);
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const url = `${scheme}://${host}:${port}${path}`;
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    const send = scheme === 'https' ? httpsRequest : httpRequest;
    const request = send({ host, port, path, headers, rejectUnauthorized: false, agent: false, timeout: timeoutMs });
    const fail = (reason: string) => {
      resolve({ ok: false, output: `Get "${url}": ${reason}` });
      request.destroy();
    };
    const timer = setTimeout(
      () => fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'),
      timeoutMs,
    );
    request.on('error', (error) => {
      clearTimeout(timer);
      fail(messageOf(error));
    });
    request.on('response', (response) => {
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBody) response.destroy();
      });
      response.on('close', () => {
        clearTimeout(timer);
        const code = response.statusCode ?? 0;
        const ok = code >= 200 && code < 400;
        resolve({ ok, output: ok ? '' : `HTTP probe failed with statuscode: ${code}` });
      });
    });
    request.end();
  });
}

function tcpConnect(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (result: ProbeResult) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => done({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` }));
    socket.once('connect', () => done({ ok: true, output: '' }));
    socket.once('error', (error) => done({ ok: false, output: `dial tcp ${host}:${port}: ${messageOf(error)}` }));
  });
}

export class Prober {
  constructor(private readonly runtime: ContainerRuntime) {}

  async run(action: ActionHandler, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
    if (action.exec) {
      const { exitCode, output } = await this.runtime.exec(target.containerId, action.exec.command ?? [], timeoutMs);
      return { ok: exitCode === 0, output };
    }
    if (action.httpGet) return httpGet(action.httpGet, target, timeoutMs);
    if (action.tcpSocket) {
      const port = portOf(target.container, action.tcpSocket.port);
      return tcpConnect(action.tcpSocket.host || target.podIP, port, timeoutMs);
    }
    if (action.grpc) {
      const { port, service = '' } = action.grpc;
      return checkGrpcHealth({ host: target.podIP, port, service, timeoutMs });
    }
    if (action.sleep) {
      await new Promise((resolve) => setTimeout(resolve, action.sleep!.seconds * 1000));
      return { ok: true, output: '' };
    }
    throw new PilothouseError({ code: 'PROBE_ACTION', message: 'missing probe handler' });
  }
}
