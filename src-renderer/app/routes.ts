// Every page of the window. Names are what code links to; paths are what a person may bookmark.

import { createRouter, createWebHashHistory, type RouteRecordRaw } from 'vue-router';

declare module 'vue-router' {
  interface RouteMeta {
    /** Key under `frame` of the page's own breadcrumb. */
    crumb?:
      | 'overview'
      | 'nodes'
      | 'pods'
      | 'deployments'
      | 'services'
      | 'events'
      | 'progress'
      | 'clusters'
      | 'newCluster'
      | 'welcome';
    /** Route that the breadcrumb of a detail page leads to. */
    parent?: 'nodes' | 'pods' | 'deployments';
    /** Needs the cluster's API server: shown only when the cluster runs. */
    live?: boolean;
  }
}

const inCluster: RouteRecordRaw[] = [
  { path: '', redirect: (to) => ({ name: 'overview', params: to.params }) },
  {
    path: 'progress',
    name: 'progress',
    meta: { crumb: 'progress' },
    component: () => import('../features/progress/ProgressPage.vue'),
  },
  {
    path: 'overview',
    name: 'overview',
    meta: { crumb: 'overview', live: true },
    component: () => import('../features/overview/OverviewPage.vue'),
  },
  {
    path: 'nodes',
    name: 'nodes',
    meta: { crumb: 'nodes', live: true },
    component: () => import('../features/nodes/NodesPage.vue'),
  },
  {
    path: 'nodes/:name',
    name: 'node',
    meta: { crumb: 'nodes', parent: 'nodes', live: true },
    component: () => import('../features/nodes/NodePage.vue'),
  },
  {
    path: 'pods',
    name: 'pods',
    meta: { crumb: 'pods', live: true },
    component: () => import('../features/pods/PodsPage.vue'),
  },
  {
    path: 'pods/:namespace/:name',
    name: 'pod',
    meta: { crumb: 'pods', parent: 'pods', live: true },
    component: () => import('../features/pods/PodPage.vue'),
  },
  {
    path: 'deployments',
    name: 'deployments',
    meta: { crumb: 'deployments', live: true },
    component: () => import('../features/deployments/DeploymentsPage.vue'),
  },
  {
    path: 'deployments/:namespace/:name',
    name: 'deployment',
    meta: { crumb: 'deployments', parent: 'deployments', live: true },
    component: () => import('../features/deployments/DeploymentPage.vue'),
  },
  {
    path: 'services',
    name: 'services',
    meta: { crumb: 'services', live: true },
    component: () => import('../features/services/ServicesPage.vue'),
  },
  {
    path: 'events',
    name: 'events',
    meta: { crumb: 'events', live: true },
    component: () => import('../features/events/EventsPage.vue'),
  },
];

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'home', component: () => import('./HomePage.vue') },
    {
      path: '/welcome',
      name: 'welcome',
      meta: { crumb: 'welcome' },
      component: () => import('../features/first-run/WelcomePage.vue'),
    },
    {
      path: '/clusters',
      name: 'clusters',
      meta: { crumb: 'clusters' },
      component: () => import('../features/clusters/ClustersPage.vue'),
    },
    {
      path: '/clusters/new',
      name: 'create',
      meta: { crumb: 'newCluster' },
      component: () => import('../features/create-cluster/CreatePage.vue'),
    },
    { path: '/c/:cluster', component: () => import('./ClusterGate.vue'), children: inCluster },
    { path: '/:unknown(.*)*', name: 'unknown', component: () => import('./UnknownPage.vue') },
  ],
});
