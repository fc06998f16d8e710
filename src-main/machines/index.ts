export * from './machine';
export { canRunQemu, createQemuMachineSet, type QemuMachineSetOptions } from './qemu/machine-set';
export { hostRequirements, type Requirement } from './requirements';
export { specLimits } from './spec-validation';
