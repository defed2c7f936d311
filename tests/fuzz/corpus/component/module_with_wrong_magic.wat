(component binary "\00asm\0d\00\01\00" "\01\08" "\00as}\01\00\00\00")
