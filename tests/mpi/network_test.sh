#!/bin/bash
# Two hosts, as network namespaces with a cable between them, over TCP: they train as one rank does;
# when the cable is cut, the job ends and can go on elsewhere. Skipped where namespaces are not
# allowed. Prints TAP.

# shellcheck source=tests/mpi/ranks.sh
. "$(dirname "$0")/ranks.sh"
make_images 36
one=dlb-one-$$ two=dlb-two-$$

if ! { ip netns add $one && ip netns add $two; } 2>said; then
    skip "two hosts" "no network namespaces here: $(head -n 1 said)"
    finish
    exit
fi

remove_hosts() {
    local host
    for host in $one $two; do
        ip netns pids $host | xargs -r kill -KILL 2>/dev/null
        ip netns del $host
    done
    rm -rf "$WORK"
}
trap remove_hosts EXIT

wire() { # HOST INTERFACE ADDRESS
    ip -n "$1" addr add "$3/24" dev "$2" && ip -n "$1" link set "$2" up && ip -n "$1" link set lo up
}

if ! { ip link add cable netns $one type veth peer name cable netns $two &&
    wire $one cable 10.77.0.1 && wire $two cable 10.77.0.2; } 2>said; then
    skip "two hosts" "no cable between network namespaces: $(head -n 1 said)"
    finish
    exit
fi

# What mpirun calls in place of ssh: HOST COMMAND.
cat >agent <<END
#!/bin/sh
shift
exec ip netns exec $two unshare --uts sh -c "hostname two; \$*"
END
chmod +x agent

# Dead connections of the launcher are noticed after 4 seconds.
export OMPI_MCA_plm_rsh_agent=$WORK/agent OMPI_MCA_btl=tcp,self OMPI_MCA_oob_tcp_if_include=10.77.0.0/24
export OMPI_MCA_oob_tcp_keepalive_time=2 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=2

start() { # ARGUMENT...: in the background, one rank a host
    ip netns exec $one unshare --uts sh -c 'hostname one; exec "$@"' sh \
        "$MPIRUN" --host 10.77.0.1:1,10.77.0.2:1 -np 2 "$DARKNET" classifier train x.data x.cfg -seed 3 -threads 1 \
        -save_every 0 -valid_every 0 -checkpoint_every 50 "$@" >printed 2>said </dev/null &
    job=$!
}

# Cuts the cable in the course of training; waits for the end for so many seconds.
cut_cable() { # SECONDS
    local waited=0
    while [ ! -e backup/x.state ] && kill -0 $job 2>kills; do sleep 0.01; done
    ip -n $one link set cable down
    while kill -0 $job 2>kills && [ $waited -lt $(($1 * 10)) ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    [ $waited -lt $(($1 * 10)) ]
}

cfg() { # ITERATIONS
    net batch=24 subdivisions=2 learning_rate=.01 max_batches="$1"
    body
    section softmax groups=1
    section dlb_cost
}

cfg 200 >x.cfg
train x.data x.cfg -seed 3 -threads 1 -save_every 0 -valid_every 0
mv backup whole
start
wait $job
status=$?
check "two hosts train" test "$status" = 0
check "as one rank does" "$COMPARE_WEIGHTS" backup/x.weights whole/x.weights 1e-4

rm -rf backup
cfg 1000000 >x.cfg
start
check "the cable is cut: the job ends" cut_cable 30
wait $job
status=$?
check "with a status that is not 0" test "$status" != 0
check "and says that a host is lost" grep -qE 'lost communication|have not answered' said
check "no rank is left" test -z "$(ip netns pids $one; ip netns pids $two)"
ip -n $one link set cable up

# The checkpoint is good: it goes on, on one host.
rm backup/x.log.csv
"$DARKNET" classifier train x.data x.cfg -threads 1 -resume -valid_every 0 -save_every 0 >printed 2>said </dev/null &
job=$!
while [ ! -s backup/x.log.csv ] && kill -0 $job 2>kills; do sleep 0.01; done
kill -s TERM $job
wait $job
status=$?
check "the checkpoint is good" grep -qE 'written after [1-9][0-9]* iterations' said

# A rank that waits in vain ends by itself, even if the launcher notices nothing.
rm -rf backup
export OMPI_MCA_oob_tcp_keepalive_time=300
start -rank_timeout 2
cut_cable 0 || true
for _ in $(seq 100); do
    ! grep -q '^darknet: ' said || break
    sleep 0.1
done
check "-rank_timeout: a rank says that the others do not answer" \
    grep -qE '^darknet: rank 0 of 2 on one: the other ranks have not answered for 2 seconds' said

finish
