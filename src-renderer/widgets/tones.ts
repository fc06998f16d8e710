// Icon and colours of each tone: colour never stands alone.
import { CircleCheck, CircleDashed, CircleDot, CircleX, TriangleAlert } from 'lucide-vue-next';
import type { Component } from 'vue';
import type { Tone } from '../model';

export const toneIcons: Record<Tone, Component> = {
  ok: CircleCheck,
  progress: CircleDot,
  warn: TriangleAlert,
  bad: CircleX,
  idle: CircleDashed,
};

export const toneText: Record<Tone, string> = {
  ok: 'text-ok',
  progress: 'text-progress',
  warn: 'text-warn',
  bad: 'text-bad',
  idle: 'text-idle',
};

export const toneSoft: Record<Tone, string> = {
  ok: 'bg-ok-soft',
  progress: 'bg-progress-soft',
  warn: 'bg-warn-soft',
  bad: 'bg-bad-soft',
  idle: 'bg-idle-soft',
};

export const toneFill: Record<Tone, string> = {
  ok: 'bg-ok',
  progress: 'bg-progress',
  warn: 'bg-warn',
  bad: 'bg-bad',
  idle: 'bg-line-strong',
};
