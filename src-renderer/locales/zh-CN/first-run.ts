import type { firstRun as source } from '../en/first-run';
import type { Shape } from '../shape';

export const firstRun: Shape<typeof source> = {
  title: '欢迎使用 Pilothouse',
  lead: '在这台电脑上拥有一个完整的 Kubernetes 集群：控制平面在此运行，节点是小型虚拟机，由本窗口操控。',
  create: '创建集群',
  steps: {
    createTitle: '创建',
    createText: '选择名称和规模。默认值适合这台电脑。',
    watchTitle: '观察',
    watchText: '每一步都实时显示，并附有虚拟机的控制台。',
    useTitle: '使用',
    useText: '在这里操控，或使用 kubectl 及任何 Kubernetes 工具。',
  },
  computer: '这台电脑',
  requirements: 'Pilothouse 的运行条件',
  allMet: '所需条件均已满足。',
  unmet: '缺少必要条件。',
  checking: '正在检查这台电脑…',
  checkAgain: '重新检查',
  met: '满足',
  missing: '缺少',
  optional: '缺少（可选）',
  cpus: 'CPU',
  memory: '内存',
  freeMemory: '可用，共 {total}',
  freeDisk: '可用磁盘空间',
  home: '所有数据保存于',
};
