export * from './machine';
export { commandName } from './command-name';
export { duration, type TimeLimit, within } from './duration';
export { readHostCapacity } from './host-capacity';
export { canRunQemu, createQemuMachineSet, type QemuMachineSetOptions } from './qemu/machine-set';
export { hostRequirements, type Requirement } from './requirements';
export { specLimits } from './spec-validation';
