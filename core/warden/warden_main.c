/* SPDX-License-Identifier: Apache-2.0
 *
 * warden_main.c: the program millrace-warden: everything it does is in the library that started it.
 */
int mr__warden_main(void);

int main(void)
{
    return mr__warden_main();
}
