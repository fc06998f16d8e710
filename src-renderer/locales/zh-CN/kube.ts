import type { events as eventsSource, nodes as nodesSource, services as servicesSource } from '../en/kube';
import type { Shape } from '../shape';

export const nodes: Shape<typeof nodesSource> = {
  title: '节点',
  empty: '尚无节点',
  emptyText: '虚拟机注册后，节点会立即显示在这里。',
  roles: '角色',
  address: '地址',
  version: 'Kubelet',
  cpu: 'CPU',
  memory: '内存',
  pods: 'Pod',
  kind: '节点',
  capacity: '容量',
  allocatable: '可供 Pod 使用',
  resource: '资源',
  requested: '已请求',
  addresses: '地址',
  podsHere: '此节点上的 Pod',
  noPodsHere: '此节点上没有 Pod',
  system: '系统',
  os: '操作系统',
  kernel: '内核',
  runtime: '容器运行时',
  podCidr: 'Pod 网络',
  taints: '污点',
  heartbeat: '上次心跳',
  console: '串口控制台',
  schedulable: '接收新 Pod',
  unschedulable: '不接收新 Pod（已隔离）',
};

export const services: Shape<typeof servicesSource> = {
  title: 'Service',
  empty: '没有 Service',
  emptyText: 'Service 为一组 Pod 提供稳定的地址。用 kubectl 应用后会显示在这里。',
  clusterIp: '集群 IP',
  externalIp: '外部 IP',
  ports: '端口',
  selector: '选择',
};

export const events: Shape<typeof eventsSource> = {
  title: '事件',
  empty: '没有事件',
  emptyText: '调度器、控制器和节点会在这里报告它们的工作。',
  emptyObject: '最近一小时内没有相关报告。',
  object: '对象',
  from: '来源',
  count: '次数',
  lastSeen: '最近发生',
  warningsOnly: '仅警告',
  times: '1 次 | {count} 次',
  normal: '普通',
  warning: '警告',
};
