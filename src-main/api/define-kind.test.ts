import { expect, it } from 'vitest';
import type { Deployment } from './apps/types';
import { deploymentKind } from './apps/deployment';
import { serviceKind } from './core/service';
import { secretKind } from './core/secret';
import type { Secret, Service } from './core/types';
import { aggregateMessage, formatFieldError } from './field-error';
import { validObjects } from './kinds.fixtures';

function deployment(): Deployment {
  const object = structuredClone(validObjects.Deployment) as Deployment;
  deploymentKind.applyDefaults(object);
  deploymentKind.prepareForCreate(object);
  return object;
}

it('counts changes of the spec, and only those, in the generation', () => {
  const old = deployment();
  expect(old.metadata.generation).toBe(1);
  const scaled = structuredClone(old);
  deploymentKind.scale!.setSpecReplicas(scaled, 5);
  deploymentKind.prepareForUpdate(scaled, old);
  expect(scaled.metadata.generation).toBe(2);
  const labelled = structuredClone(scaled);
  labelled.metadata.labels = { a: 'b' };
  deploymentKind.prepareForUpdate(labelled, scaled);
  expect(labelled.metadata.generation).toBe(2);
});

it('keeps status from spec updates and spec from status updates', () => {
  const old = { ...deployment(), status: { replicas: 3, readyReplicas: 1 } };
  const next = structuredClone(old);
  next.status = { replicas: 9, readyReplicas: 9 };
  deploymentKind.prepareForUpdate(next, old);
  expect(next.status).toEqual(old.status);
  const reported = structuredClone(old);
  reported.spec.replicas = 7;
  reported.status = { replicas: 3, readyReplicas: 4 };
  deploymentKind.status!.prepareForUpdate(reported, old);
  expect(reported.spec.replicas).toBe(3);
  expect(deploymentKind.status!.validateUpdate({ object: reported, old }).map(formatFieldError)).toEqual([
    'status.readyReplicas: Invalid value: 4: cannot be greater than status.replicas',
  ]);
});

it('answers scale and prints the table of a Deployment', () => {
  const object = {
    ...deployment(),
    status: { replicas: 3, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 },
  };
  expect(deploymentKind.scale!.selector(object)).toBe('app=demo');
  expect(deploymentKind.scale!.statusReplicas(object)).toBe(3);
  const now = Date.parse('2026-01-01T00:05:00Z');
  expect(deploymentKind.columns.map((column) => column.value(object, now))).toEqual([
    'demo',
    '1/3',
    2,
    1,
    '5m',
    'main',
    'busybox',
    'app=demo',
  ]);
});

it('refuses another selector', () => {
  const old = deployment();
  const next = structuredClone(old);
  next.spec.selector = { matchLabels: { app: 'x' } };
  next.spec.template.metadata = { labels: { app: 'x' } };
  const errors = deploymentKind.validateUpdate({ object: next, old });
  expect(aggregateMessage(errors)).toBe(
    'spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable',
  );
});

it('keeps the addresses of a Service that an update leaves out, and lets none change', () => {
  const old = structuredClone(validObjects.Service) as Service;
  serviceKind.applyDefaults(old);
  old.spec.type = 'NodePort';
  old.spec.clusterIP = '10.96.0.9';
  old.spec.clusterIPs = ['10.96.0.9'];
  old.spec.ports![0]!.nodePort = 30_001;
  const next = structuredClone(validObjects.Service) as Service;
  next.spec.type = 'NodePort';
  serviceKind.applyDefaults(next);
  serviceKind.prepareForUpdate(next, old);
  expect(next.spec).toMatchObject({ clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] });
  expect(next.spec.ports![0]!.nodePort).toBe(30_001);
  const moved = structuredClone(next);
  moved.spec.clusterIP = '10.96.0.8';
  moved.spec.clusterIPs = ['10.96.0.8'];
  expect(serviceKind.validateUpdate({ object: moved, old }).map(formatFieldError)).toEqual([
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set',
  ]);
  const plain = structuredClone(next);
  plain.spec.type = 'ClusterIP';
  serviceKind.prepareForUpdate(plain, old);
  expect(plain.spec.ports![0]!.nodePort).toBeUndefined();
});

it('folds stringData into data as base64 of UTF-8', () => {
  const secret = structuredClone(validObjects.Secret) as Secret;
  secretKind.applyDefaults(secret);
  expect(secret).toMatchObject({ type: 'Opaque', data: { token: 'Z3LDvMOf', other: 'QQ==' } });
  expect(secret.stringData).toBeUndefined();
});

it('protects immutable Secrets', () => {
  const old = structuredClone(validObjects.Secret) as Secret;
  secretKind.applyDefaults(old);
  old.immutable = true;
  const next = structuredClone(old);
  next.data = {};
  expect(secretKind.validateUpdate({ object: next, old }).map(formatFieldError)).toEqual([
    'data: Forbidden: field is immutable when `immutable` is set',
  ]);
});
