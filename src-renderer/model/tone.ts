/** How a state is coloured and which icon it gets; never colour alone. */
export type Tone = 'ok' | 'progress' | 'warn' | 'bad' | 'idle';
