# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_zoetrope_global_optspecs
    string join \n v/verbose h/help V/version
end

function __fish_zoetrope_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_zoetrope_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_zoetrope_using_subcommand
    set -l cmd (__fish_zoetrope_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c zoetrope -n "__fish_zoetrope_needs_command" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -s V -l version -d 'Print version'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "render" -d 'Turns one photograph into a clip, without a broker'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "demo" -d 'Shows it all at once: a broker, the daemon, a display and a clip'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "capture" -d 'Takes a still with a camera and writes it as a JPEG'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "run" -d 'Runs the daemon: requests come in and clips go out over MQTT'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "request" -d 'Asks a daemon for a clip over MQTT, waits and saves it'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "watch" -d 'Keeps the newest clip of a daemon in a folder, as a display does'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "check" -d 'Checks a configuration file and says what is wrong with it'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "doctor" -d 'Looks at the board as the daemon will find it, and says what is open'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "warm-up" -d 'Prepares what the daemon would prepare in the background: tries out and measures what can run the model, and has TensorRT build its engine'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "bench-model" -d 'Measures the model with every engine that works here'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "engine" -d 'Runs the model for the process that has started this one'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "asyncapi" -d 'Prints the MQTT API as an AsyncAPI 3 document'
complete -c zoetrope -n "__fish_zoetrope_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -s o -l output -d 'The MP4 file to write; replaced only when the new one is complete' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l burst -d 'What the camera saw just before the photograph, in the same framing: a folder of pictures in the order of their names, or a file of JPEGs one after another. 10 to 128 pictures that last 1 to 12 s. What moved in them moves in the clip' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l burst-fps -d 'Pictures of the burst per second: 5 to 60' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l seconds -d 'Length of one turn of the loop, in seconds: 0.5 to 60 [default: near the rhythm of the scene if a burst shows it, else 4]' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l fps -d 'Frames per second: 5 to 60' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l size -d 'Even sides from 64x64 to 3840x2160, or portrait [default: the photograph\'s proportions, at most 1280 on the long side]' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l strength -d 'Amount of motion: 0 (none) to 1 (as the model imagines it)' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l seed -d 'Chooses one of many plausible motions' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l direction -d 'Where wind and streams go to: left, right, up, down, or degrees clockwise from "right" [default: as the model sees it]' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l threads -d 'Threads that draw and encode; the clip does not depend on it [default: one for each processor]' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l frames -d 'Also writes every frame as a PNG to this folder' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l debug -d 'Also writes what the model saw to this folder: class map, mobility, flow and depth as pictures and as .npy arrays' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l report -d 'Also writes what the director measured, allows and lowered to this file, as JSON; even if it refuses the clip' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l engine -d 'What runs the model: tensorrt, cuda, onnxruntime-cpu or tract. For one picture none of the others is worth its start' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l library -d 'libonnxruntime.so, for the others [default: looked for in the usual places]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l cache-dir -d 'Folder of what TensorRT has built [default: none]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l model -d 'motion.toml of another model than the one built in' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -l clean-plate -d 'Leaves out of the still whoever passes through the burst'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand render" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand demo" -l photo -d 'JPEG, PNG or WebP to bring to life [default: the built-in samples]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand demo" -s o -l output -d 'Where the first clip is written [default: zoetrope-demo.mp4 with --once, else nowhere]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand demo" -l port -d 'Port of the kiosk page; 0 takes a free one' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand demo" -l once -d 'Ends after the first clip instead of serving the page'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand demo" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand demo" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand capture" -s o -l output -d 'The JPEG file to write; replaced only when the new one is complete' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand capture" -l device -d 'The camera\'s node, such as one in /dev/v4l/by-id [default: the configured camera, or the only one there is]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand capture" -l burst -d 'Also watches before the still, and writes what was seen to this folder as pictures for "render --burst"' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand capture" -l config -d 'The configuration file whose [camera], [observation] and [photo] hold' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand capture" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand capture" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand run" -l config -d 'The configuration file' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand run" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand run" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l broker -d 'mqtt://HOST[:PORT], or mqtts:// for TLS' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l device -d 'The daemon\'s device id, as in zoetrope/<ID>/…' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l username -d 'User name at the broker' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l password-file -d 'File whose first line is the password' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l ca-file -d 'PEM file of the authorities to trust [default: the system\'s]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l client-cert-file -d 'PEM file of our own certificate, when the broker wants one' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l client-key-file -d 'PEM file of that certificate\'s private key' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l photo -d 'JPEG, PNG or WebP to send along [default: the daemon\'s camera]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -s o -l output -d 'Where the clip is written' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l timeout -d 'Gives up when there is no clip after so many seconds: 1 to 3600' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l strength -d 'Amount of motion: 0 (none) to 1 (as the model imagines it)' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l seed -d 'Chooses one of many plausible motions' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l direction -d 'Where wind and streams go to: left, right, up, down, or degrees clockwise from "right" [default: as the model sees it]' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l seconds -d 'Length of one turn of the loop, in seconds: 0.5 to 60 [default: near the rhythm of the scene if a burst shows it, else 4]' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l fps -d 'Frames per second: 5 to 60' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -l size -d 'Even sides from 64x64 to 3840x2160, or portrait [default: the photograph\'s proportions, at most 1280 on the long side]' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand request" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l broker -d 'mqtt://HOST[:PORT], or mqtts:// for TLS' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l device -d 'The daemon\'s device id, as in zoetrope/<ID>/…' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l username -d 'User name at the broker' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l password-file -d 'File whose first line is the password' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l ca-file -d 'PEM file of the authorities to trust [default: the system\'s]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l client-cert-file -d 'PEM file of our own certificate, when the broker wants one' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l client-key-file -d 'PEM file of that certificate\'s private key' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l folder -d 'Folder for the clip; created when missing' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -l once -d 'Ends after the first clip'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand watch" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand check" -l config -d 'The configuration file' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand check" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand check" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand doctor" -l config -d 'The configuration file [default: as if it were empty]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand doctor" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand warm-up" -l config -d 'The configuration file [default: as if it were empty]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand warm-up" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand warm-up" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand bench-model" -l config -d 'The configuration file [default: as if it were empty]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand bench-model" -l library -d 'libonnxruntime.so [default: as configured, or in the usual places]' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand bench-model" -l runs -d 'Pictures that are measured' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand bench-model" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand bench-model" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand engine" -l engine -d 'What shall run the network' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand engine" -l library -d 'ONNX Runtime\'s library' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand engine" -l model -d 'motion.toml of another network than the one built in' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand engine" -l cache-dir -d 'Folder of what TensorRT builds' -r -F
complete -c zoetrope -n "__fish_zoetrope_using_subcommand engine" -l threads -d 'Threads to compute with; one for each processor if not given' -r
complete -c zoetrope -n "__fish_zoetrope_using_subcommand engine" -l build -d 'Builds what has to be built first, however long it takes, and leaves the processors to others'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand engine" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand engine" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand asyncapi" -s v -l verbose -d 'Says more on standard error; twice says everything. RUST_LOG overrides it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand asyncapi" -s h -l help -d 'Print help'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "render" -d 'Turns one photograph into a clip, without a broker'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "demo" -d 'Shows it all at once: a broker, the daemon, a display and a clip'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "capture" -d 'Takes a still with a camera and writes it as a JPEG'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "run" -d 'Runs the daemon: requests come in and clips go out over MQTT'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "request" -d 'Asks a daemon for a clip over MQTT, waits and saves it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "watch" -d 'Keeps the newest clip of a daemon in a folder, as a display does'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "check" -d 'Checks a configuration file and says what is wrong with it'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "doctor" -d 'Looks at the board as the daemon will find it, and says what is open'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "warm-up" -d 'Prepares what the daemon would prepare in the background: tries out and measures what can run the model, and has TensorRT build its engine'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "bench-model" -d 'Measures the model with every engine that works here'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "engine" -d 'Runs the model for the process that has started this one'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "asyncapi" -d 'Prints the MQTT API as an AsyncAPI 3 document'
complete -c zoetrope -n "__fish_zoetrope_using_subcommand help; and not __fish_seen_subcommand_from render demo capture run request watch check doctor warm-up bench-model engine asyncapi help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
