export * from './detect';
export * from './image-name';
export * from './loader';
export * from './uploads';
