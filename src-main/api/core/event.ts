// core/v1 Event.

import { defineKind } from '../define-kind';
import { ageOf } from '../duration';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { Event, ObjectReference } from './types';

function reference(object: ObjectReference | undefined): string {
  const kind = object?.kind?.toLowerCase() ?? '';
  return object?.name ? `${kind}/${object.name}` : kind;
}

function sourceText(event: Event): string {
  const component = event.source?.component || event.reportingComponent || '';
  const host = event.source?.host || event.reportingInstance || '';
  return host ? `${component}, ${host}` : component;
}

function firstSeen(event: Event): string | null | undefined {
  return event.firstTimestamp ?? event.eventTime;
}

function lastSeen(event: Event): string | null | undefined {
  return event.series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen(event);
}

function validate(event: Event): FieldError[] {
  const involved = event.involvedObject?.namespace ?? '';
  const namespace = event.metadata.namespace ?? '';
  if (event.eventTime) return validateNew(event);
  if (involved === '' ? namespace !== '' && namespace !== 'default' : involved !== namespace) {
    return [fieldError.invalid('involvedObject.namespace', involved, 'does not match event.namespace')];
  }
  return [];
}

function validateNew(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  if (!event.reportingComponent) errors.push(fieldError.required('reportingController'));
  if (!event.reportingInstance) errors.push(fieldError.required('reportingInstance'));
  if (!event.action) errors.push(fieldError.required('action'));
  if (!event.reason) errors.push(fieldError.required('reason'));
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(fieldError.invalid('type', event.type ?? '', 'has invalid value: '));
  }
  return errors;
}

const involvedFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;

export const eventKind = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.Event',
  validate,
  selectableFields: {
    ...Object.fromEntries(
      involvedFields.map((field) => [`involvedObject.${field}`, (event: Event) => event.involvedObject?.[field] ?? '']),
    ),
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
  columns: [
    {
      name: 'Last Seen',
      type: 'string',
      description: 'Time since the event was last seen.',
      value: (event, now) => ageOf(lastSeen(event), now),
    },
    { name: 'Type', type: 'string', description: 'Normal or Warning.', value: (event) => event.type ?? '' },
    {
      name: 'Reason',
      type: 'string',
      description: 'Short machine-readable cause.',
      value: (event) => event.reason ?? '',
    },
    {
      name: 'Object',
      type: 'string',
      description: 'What the event is about.',
      value: (event) => reference(event.involvedObject),
    },
    {
      name: 'Subobject',
      type: 'string',
      priority: 1,
      description: 'Part of the object the event is about.',
      value: (event) => event.involvedObject?.fieldPath ?? '',
    },
    { name: 'Source', type: 'string', priority: 1, description: 'Who reported it.', value: sourceText },
    {
      name: 'Message',
      type: 'string',
      description: 'What happened.',
      value: (event) => (event.message ?? '').trim(),
    },
    {
      name: 'First Seen',
      type: 'string',
      priority: 1,
      description: 'Time since the event was first seen.',
      value: (event, now) => ageOf(firstSeen(event), now),
    },
    {
      name: 'Count',
      type: 'integer',
      priority: 1,
      description: 'How often it happened.',
      value: (event) => event.series?.count ?? event.count ?? 1,
    },
    {
      name: 'Name',
      type: 'string',
      priority: 1,
      format: 'name',
      description: 'Name of the event.',
      value: (event) => event.metadata.name ?? '',
    },
  ],
});
