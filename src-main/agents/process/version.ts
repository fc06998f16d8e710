/** The API level the agents speak and report (nodeInfo.kubeletVersion). */
export const kubernetesVersion = 'v1.36.0';
