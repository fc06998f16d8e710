// Derives `src-main/api/generated/schemas.json` from the declarations of @kubernetes/client-node, whose models were made
// from Kubernetes' own OpenAPI document. Each model's module lists its properties (wire name, type, format); its
// declaration file has the descriptions and which properties are optional. What the models lost on the way (definition
// names, quantities) is worked out by the rules below. Idempotent: the file is only written when its text changes.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  definitionPrefixes,
  explicitPackages,
  fullGroupNames,
  prefixedGroups,
  quantityFields,
  wellKnownDefinitions,
} from './gen-tables';

interface Schema {
  description?: string;
  type?: string;
  format?: string;
  $ref?: string;
  items?: Schema;
  additionalProperties?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}

interface Attribute {
  baseName: string;
  type: string;
  format: string;
}

interface Model {
  className: string;
  description: string;
  attributes: Attribute[];
  docs: Map<string, { text: string; optional: boolean }>;
  references: string[];
}

const root = resolve(import.meta.dirname, '..');
const source = join(root, 'node_modules/@kubernetes/client-node/dist/gen');
const target = join(root, 'src-main/api/generated/schemas.json');

function unescapeDoc(text: string): string {
  return text
    .replaceAll(/\\(['"\\])/g, '$1')
    .replaceAll('*_/', '*/')
    .trim();
}

function readModel(className: string): Model {
  const code = readFileSync(join(source, 'models', `${className}.js`), 'utf8');
  const declaration = readFileSync(join(source, 'models', `${className}.d.ts`), 'utf8');
  const list = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(code)?.[1];
  if (!list) throw new Error(`${className}: no attribute list; the layout of @kubernetes/client-node has changed`);
  const attributes = JSON.parse(list) as Attribute[];
  const docs = new Map<string, { text: string; optional: boolean }>();
  const property = /(?:\/\*\*\n((?:\s+\*[^\n]*\n)+?)\s+\*\/\n\s+)?'([^']+)'(\??):/g;
  for (const match of declaration.matchAll(property)) {
    const text = (match[1] ?? '').replaceAll(/^\s+\* ?/gm, '');
    docs.set(match[2]!, { text: unescapeDoc(text), optional: match[3] === '?' });
  }
  const description = /\/\*\*\n\* ([\s\S]*?)\n\*\/\nexport declare class/.exec(declaration)?.[1] ?? '';
  const references = [...declaration.matchAll(/import \{ (\w+) \} from '\.\.\/models\//g)].map((match) => match[1]!);
  return { className, description: unescapeDoc(description), attributes, docs, references };
}

/** Which API packages (`apps.v1`) mention a model directly, by the API module that imports it. */
function directUsers(): Map<string, Set<string>> {
  const users = new Map<string, Set<string>>();
  for (const file of readdirSync(join(source, 'apis'))) {
    const api = /^([A-Za-z]+?)(V\d+(?:(?:alpha|beta)\d+)?)?Api\.d\.ts$/.exec(file);
    if (!api) continue;
    const owner = api[2] ? `${api[1]!.toLowerCase()}.${api[2].toLowerCase()}` : 'meta.v1';
    const text = readFileSync(join(source, 'apis', file), 'utf8');
    for (const match of text.matchAll(/import \{ (\w+) \} from '\.\.\/models\//g)) {
      users.set(match[1]!, (users.get(match[1]!) ?? new Set()).add(owner));
    }
  }
  return users;
}

function versionOf(className: string): { version: string; name: string } | undefined {
  const match = /^(V\d+(?:(?:alpha|beta)\d+)?)([A-Z].*)$/.exec(className);
  return match ? { version: match[1]!.toLowerCase(), name: match[2]! } : undefined;
}

/** The packages whose root kinds reach a model, not looking through models of another fixed package. */
function packagesOf(models: Map<string, Model>): Map<string, Set<string>> {
  const reached = new Map<string, Set<string>>();
  const visit = (className: string, owner: string): void => {
    const owners = reached.get(className) ?? new Set();
    if (owners.has(owner) || !models.has(className)) return;
    reached.set(className, owners.add(owner));
    const next = fixedPackage(className) ?? owner;
    for (const reference of models.get(className)!.references) visit(reference, next);
  };
  for (const [className, owners] of directUsers()) {
    for (const owner of owners) visit(className, fixedPackage(className) ?? owner);
  }
  return reached;
}

function fixedPackage(className: string): string | undefined {
  const explicit = explicitPackages[className];
  if (explicit) return explicit;
  const prefix = prefixedGroups.find((group) => className.startsWith(`${group}V1`));
  return prefix ? `${prefix.toLowerCase()}.v1` : undefined;
}

function definitionName(className: string, owners: Set<string>): string {
  if (wellKnownDefinitions[className]) return wellKnownDefinitions[className];
  const prefix = prefixedGroups.find((group) => className.startsWith(`${group}V1`));
  const bare = versionOf(prefix ? className.slice(prefix.length) : className);
  if (!bare) throw new Error(`${className}: a model without a version`);
  const matching = [...owners].filter((owner) => owner.endsWith(`.${bare.version}`));
  const owner =
    fixedPackage(className) ??
    (matching.includes('core.v1') ? 'core.v1' : matching.length === 1 ? matching[0] : undefined);
  if (!owner) throw new Error(`${className}: cannot tell its package among ${[...owners].join(', ')}`);
  const [group] = owner.split('.') as [string];
  return `${definitionPrefixes[group] ?? `io.k8s.api.${group}`}.${bare.version}.${bare.name}`;
}

class Converter {
  constructor(private readonly names: Map<string, string>) {}

  convert(model: Model): Schema {
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const attribute of model.attributes) {
      const doc = model.docs.get(attribute.baseName) ?? model.docs.get(attribute.baseName.replace(/^\$/, '_'));
      const value = this.property(model.className, attribute);
      properties[attribute.baseName] = doc?.text ? { description: doc.text, ...value } : value;
      if (doc && !doc.optional) required.push(attribute.baseName);
    }
    const schema: Schema = { description: model.description, type: 'object' };
    if (required.length > 0) schema.required = required.sort();
    if (model.attributes.length > 0) schema.properties = properties;
    return schema;
  }

  private property(className: string, attribute: Attribute): Schema {
    if (quantityFields.has(`${className}.${attribute.baseName}`)) {
      const quantity: Schema = { $ref: wellKnownDefinitions.Quantity! };
      return attribute.type.startsWith('{') ? { type: 'object', additionalProperties: quantity } : quantity;
    }
    return this.type(attribute.type, attribute.format, `${className}.${attribute.baseName}`);
  }

  private type(type: string, format: string, where: string): Schema {
    const array = /^Array<(.*)>$/.exec(type);
    if (array) return { type: 'array', items: this.type(array[1]!, format, where) };
    const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
    if (map) return { type: 'object', additionalProperties: this.type(map[1]!, format, where) };
    switch (type) {
      case 'string':
        return format ? { type: 'string', format } : { type: 'string' };
      case 'boolean':
        return { type: 'boolean' };
      case 'number':
        return format === 'double' ? { type: 'number', format } : { type: 'integer', format: format || 'int64' };
      case 'Date':
        return { $ref: wellKnownDefinitions.Time! };
      case 'V1MicroTime':
        return { $ref: wellKnownDefinitions.MicroTime! };
      case 'IntOrString':
        return { $ref: wellKnownDefinitions.IntOrString! };
      case 'any':
        return {};
      default: {
        const name = this.names.get(type);
        if (!name) throw new Error(`${where}: unknown type ${type}`);
        return { $ref: name };
      }
    }
  }
}

function generate(): Record<string, Schema> {
  const classNames = readdirSync(join(source, 'models'))
    .filter((file) => /^(?!ObjectSerializer|all).*\.js$/.test(file))
    .map((file) => file.slice(0, -3));
  const models = new Map(classNames.map((className) => [className, readModel(className)]));
  const owners = packagesOf(models);
  const names = new Map([...owners].map(([className, set]) => [className, definitionName(className, set)]));
  const taken = new Map<string, string>();
  for (const [className, name] of names) {
    if (taken.has(name)) throw new Error(`${className} and ${taken.get(name)} are both ${name}`);
    taken.set(name, className);
  }
  const converter = new Converter(names);
  const definitions: Record<string, Schema> = {};
  for (const [className, name] of names) {
    const schema = converter.convert(models.get(className)!);
    const kind = schema.properties?.kind && schema.properties.apiVersion && schema.properties.metadata;
    if (kind && !name.includes('.meta.')) {
      const [version, kindName] = name.split('.').slice(-2) as [string, string];
      const group = name.split('.').at(-3)!;
      schema['x-kubernetes-group-version-kind'] = [
        { group: fullGroupNames[group] ?? `${group}.k8s.io`, version, kind: kindName },
      ];
    }
    definitions[name] = schema;
  }
  Object.assign(definitions, {
    [wellKnownDefinitions.Time!]: { description: 'A moment in RFC 3339 form.', type: 'string', format: 'date-time' },
    [wellKnownDefinitions.MicroTime!]: {
      description: 'A moment in RFC 3339 form, down to microseconds.',
      type: 'string',
      format: 'date-time',
    },
    [wellKnownDefinitions.IntOrString!]: {
      description: 'Either an int32 or a string.',
      type: 'string',
      format: 'int-or-string',
    },
    [wellKnownDefinitions.Quantity!]: {
      description: 'A fixed-point number with an optional suffix: 500m, 1.5, 64Mi, 2G, 1e3.',
      type: 'string',
    },
  });
  return Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const text = `${JSON.stringify(generate())}\n`;
if (existsSync(target) && readFileSync(target, 'utf8') === text) {
  console.log('schemas.json is up to date');
} else {
  mkdirSync(join(target, '..'), { recursive: true });
  writeFileSync(target, text);
  console.log(`wrote schemas.json (${Math.round(text.length / 1024)} KiB)`);
}
