process.stdout.write('x');
