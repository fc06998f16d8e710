// The configuration files of kubelet and kube-proxy on a node: upstream's field names, and the few of ours that the
// agents add (nodeIP, podNetwork).

import { stringify } from 'yaml';

export const guestPaths = {
  kubeletBundle: '/opt/pilothouse/agents/kubelet.mjs',
  kubeProxyBundle: '/opt/pilothouse/agents/kube-proxy.mjs',
  ca: '/etc/kubernetes/pki/ca.crt',
  kubeletKubeconfig: '/etc/kubernetes/kubelet.conf',
  kubeProxyKubeconfig: '/etc/kubernetes/kube-proxy.conf',
  kubeletCertificate: '/var/lib/kubelet/pki/kubelet.crt',
  kubeletKey: '/var/lib/kubelet/pki/kubelet.key',
  kubeletConfiguration: '/var/lib/kubelet/config.yaml',
  kubeProxyConfiguration: '/var/lib/kube-proxy/config.yaml',
} as const;

export interface AgentConfigurationRequest {
  nodeAddress: string;
  podNetwork: string;
  serviceNetwork: string;
}

/** The tenth address of the Service network is the DNS Service's, as everywhere in Kubernetes. */
export function clusterDnsAddress(serviceNetwork: string): string {
  const [address = ''] = serviceNetwork.split('/');
  const octets = address.split('.').map(Number);
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0) + 10;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

export function kubeletConfiguration(request: AgentConfigurationRequest): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '0.0.0.0',
    port: 10250,
    tlsCertFile: guestPaths.kubeletCertificate,
    tlsPrivateKeyFile: guestPaths.kubeletKey,
    authentication: { x509: { clientCAFile: guestPaths.ca }, anonymous: { enabled: false } },
    clusterDNS: [clusterDnsAddress(request.serviceNetwork)],
    clusterDomain: 'cluster.local',
    nodeStatusUpdateFrequency: '10s',
    nodeLeaseDurationSeconds: 40,
    nodeIP: request.nodeAddress,
    podNetwork: { cidr: request.podNetwork, serviceCIDR: request.serviceNetwork },
  });
}

export function kubeProxyConfiguration(request: AgentConfigurationRequest): string {
  return stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clusterCIDR: request.podNetwork,
    nodeIP: request.nodeAddress,
  });
}
