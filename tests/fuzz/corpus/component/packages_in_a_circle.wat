;; Its section names p:f@1.0.0 and p:f@1.1.0: `u` of the second has a type of `t` of the first, and
;; `v` of the first has that of `u`.
(module
  (@custom "component-type:w"
    "\00asm\0d\00\01\00\00\19\16wit-component-encoding\04\00\07z\01A\02\01A\08\01B\02\01r\01\01a}\04\00\01r\03\00\00\03"
    "\00\0bp:f/t@1.0.0\05\00\02\03\00\00\01r\01B\02\02\03\02\01\01\04\00\01r\03\00\00\03\00\0bp:f/u@1.1.0\05\02\02\03\00\01\01r\01B"
    "\02\02\03\02\01\03\04\00\01r\03\00\00\03\00\0bp:f/v@1.0.0\05\04\04\00\05p:w/w\04\00\0b\07\01\00\01w\03\00\00"))
