import { defineAsyncComponent } from 'vue';

export { default as AgeText } from './AgeText.vue';
export { default as ClusterButtons } from './ClusterButtons.vue';
export { default as ConfirmDialog } from './ConfirmDialog.vue';
export { default as CopyCode } from './CopyCode.vue';
export { default as DataTable } from './DataTable.vue';
export { default as EmptyState } from './EmptyState.vue';
export { default as EventList } from './EventList.vue';
export { default as FailureBox } from './FailureBox.vue';
export { default as FormField } from './FormField.vue';
export { default as KeyValues } from './KeyValues.vue';
export { default as LabelChips } from './LabelChips.vue';
export { default as ListPage } from './ListPage.vue';
export { default as LogLines } from './LogLines.vue';
export { default as MeterBar } from './MeterBar.vue';
export { default as ModalDialog } from './ModalDialog.vue';
export { default as NamespaceSelect } from './NamespaceSelect.vue';
export { default as PageHeader } from './PageHeader.vue';
export { default as PanelBox } from './PanelBox.vue';
export { default as PodTable } from './PodTable.vue';
export { default as SearchBox } from './SearchBox.vue';
export { default as SelectBox } from './SelectBox.vue';
export { default as SkeletonPage } from './SkeletonPage.vue';
export { default as StaleNotice } from './StaleNotice.vue';
export { default as StatusBadge } from './StatusBadge.vue';
export * from './table';
export { default as TabBar } from './TabBar.vue';
export { default as ToggleButton } from './ToggleButton.vue';
export * from './tones';
export { default as UiButton } from './UiButton.vue';

/** Loaded when first shown: the terminal emulator is the largest part of the window. */
export const ConsoleView = defineAsyncComponent(() => import('./ConsoleView.vue'));
