// The server's own metrics, with upstream's names.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface RequestLabels {
  verb: string;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  code: string;
}

const labelNames = ['verb', 'group', 'version', 'resource', 'subresource', 'code'] as const;
const durationLabels = ['verb', 'group', 'version', 'resource', 'subresource'] as const;

export class ServerMetrics {
  readonly registry = new Registry();
  private readonly requests = new Counter({
    name: 'apiserver_request_total',
    help: 'Requests by verb, resource and HTTP code.',
    labelNames,
    registers: [this.registry],
  });
  private readonly durations = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Time to answer a request, watches excepted.',
    labelNames: durationLabels,
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 30],
    registers: [this.registry],
  });
  readonly inflight = new Gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Requests being served.',
    registers: [this.registry],
  });
  readonly watches = new Gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Watches being served.',
    registers: [this.registry],
  });

  /** Counts one answered request; without seconds for those that last as long as the client likes. */
  observe(labels: RequestLabels, seconds: number | undefined): void {
    this.requests.inc({ ...labels });
    if (seconds === undefined) return;
    const { verb, group, version, resource, subresource } = labels;
    this.durations.observe({ verb, group, version, resource, subresource }, seconds);
  }
}
