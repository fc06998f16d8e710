import { describe, expect, it } from 'vitest';
import { aggregatedVersion } from '../discovery/discovery';
import { negotiate } from './negotiation';

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

describe('negotiate', () => {
  it.each([
    [undefined, 'object', false],
    ['*/*', 'object', false],
    ['application/vnd.kubernetes.protobuf,application/json', 'object', false],
    [`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'table', false],
    ['application/json; as=PartialObjectMetadataList; v=v1; g=meta.k8s.io', 'partial', false],
    ['application/json;as=Other;v=v1;g=meta.k8s.io,application/json', 'object', false],
    ['application/yaml', 'object', true],
  ])('%s', (accept, form, yaml) => {
    expect(negotiate(accept)).toMatchObject({ form, yaml });
  });

  it('refuses what it does not speak', () => {
    expect(() => negotiate('image/png')).toThrow('only the following media types are accepted');
  });
});

describe('aggregatedVersion', () => {
  const wanted = (version: string) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  it.each([
    [`${wanted('v2')},${wanted('v2beta1')},application/json`, 'v2'],
    [`${wanted('v2beta1')},application/json`, 'v2beta1'],
    [`application/json,${wanted('v2')}`, undefined],
    ['application/json', undefined],
    [undefined, undefined],
  ])('%s', (accept, version) => {
    expect(aggregatedVersion(accept)).toBe(version);
  });
});
