// The entries of the side bar.
import { Bell, Box, LayoutDashboard, Layers, Network, Server } from 'lucide-vue-next';
import type { Component } from 'vue';

export interface NavigationEntry {
  route: 'overview' | 'nodes' | 'pods' | 'deployments' | 'services' | 'events';
  icon: Component;
}

export const navigation: readonly {
  group?: 'workloads' | 'network' | 'cluster';
  entries: readonly NavigationEntry[];
}[] = [
  { entries: [{ route: 'overview', icon: LayoutDashboard }] },
  {
    group: 'workloads',
    entries: [
      { route: 'pods', icon: Box },
      { route: 'deployments', icon: Layers },
    ],
  },
  { group: 'network', entries: [{ route: 'services', icon: Network }] },
  {
    group: 'cluster',
    entries: [
      { route: 'nodes', icon: Server },
      { route: 'events', icon: Bell },
    ],
  },
];
