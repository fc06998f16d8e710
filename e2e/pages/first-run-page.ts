// First run and the create form, as a person uses them.
import type { Page } from 'playwright';

export interface ClusterForm {
  name?: string;
  nodes?: number;
}

export class FirstRunPage {
  constructor(private readonly page: Page) {}

  async openCreate(): Promise<void> {
    await this.page.getByRole('heading', { name: 'Welcome to Pilothouse' }).waitFor();
    await this.page.getByRole('link', { name: 'Create cluster' }).first().waitFor();
  }

  async followCreateLink(): Promise<void> {
    await this.page.getByRole('link', { name: 'Create cluster' }).first().click();
    await this.page.getByLabel('Name').waitFor();
  }

  async complete(form: ClusterForm): Promise<void> {
    if (form.name !== undefined) await this.page.getByLabel('Name').fill(form.name);
    if (form.nodes !== undefined) await this.page.getByLabel('Nodes').fill(String(form.nodes));
  }

  /** The form says what is wrong, at the field, and does not let itself be submitted. */
  async expectProblem(text: string): Promise<void> {
    await this.page.getByRole('alert').filter({ hasText: text }).first().waitFor();
    if (await this.page.getByRole('button', { name: 'Create cluster' }).isEnabled()) {
      throw new Error('the form can be submitted although a field is wrong');
    }
  }

  async submit(): Promise<void> {
    await this.page.getByRole('button', { name: 'Create cluster' }).click();
  }

  /** The progress view names every machine and its steps. */
  async expectSteps(machines: string[]): Promise<void> {
    await this.page.getByRole('heading', { name: /Creating/ }).waitFor();
    await this.page
      .getByText(/\d+ of \d+ steps done/)
      .first()
      .waitFor();
    for (const machine of machines) await this.page.getByText(machine).first().waitFor();
  }
}
